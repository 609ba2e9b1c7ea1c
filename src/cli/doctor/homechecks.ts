import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { formatBytes } from "../../config/units.ts";
import { loadsLibrariesFrom } from "../../engine/library.ts";
import { mountOf } from "../../lib/mount.ts";
import { describeFileError } from "../process/fileerror.ts";
import type { Finding } from "./finding.ts";

/** Below this, not even what llmlb brings along fits. */
const DISK_FULL_BYTES = 256 * 2 ** 20;
const DISK_FREE_MIN = 2 ** 30;
const ELSEWHERE = "choose another folder with --home (LLMLB_HOME)";

/** Checks that the data folder can be written, or created, and may hold what is run from it. */
export function checkDataFolder(home: string): Finding {
  const subject = "Home";
  const place = nearestExisting(home);
  const reason = unwritable(place);
  if (reason !== undefined) {
    const text = `${place} cannot be written: ${reason}. Mend that, or ${ELSEWHERE}.`;
    return { subject, state: "problem", text };
  }
  const mount = mountOf(place);
  if (mount?.options.includes("noexec") && loadsLibrariesFrom(home)) {
    const text = `${home} lies on ${mount.point}, which is mounted noexec: the libraries that run \
models cannot be loaded from there. Mount it with exec, or ${ELSEWHERE}.`;
    return { subject, state: "problem", text };
  }
  const text = place === home ? `${home} can be written` : `${home} will be created`;
  return { subject, state: "ok", text };
}

function unwritable(place: string): string | undefined {
  try {
    if (!statSync(place).isDirectory()) return "it is a file, not a folder";
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    return describeFileError(cause);
  }
}

/** Checks how much of the disk of the data folder is free. */
export function checkDisk(home: string): Finding {
  const subject = "Disk";
  const { bavail, bsize, files, ffree } = statfsSync(nearestExisting(home));
  const free = bavail * bsize;
  const text = `${formatBytes(free)} free`;
  if (free < DISK_FULL_BYTES) {
    return { subject, state: "problem", text: `${text}: make room on it, or ${ELSEWHERE}.` };
  }
  // File systems that make room for files as they need it count none.
  if (files > 0 && ffree === 0) {
    const full = `${text}, but no more files fit: remove some, or ${ELSEWHERE}.`;
    return { subject, state: "problem", text: full };
  }
  return { subject, state: free < DISK_FREE_MIN ? "note" : "ok", text };
}

/** The path itself, or the nearest folder above it that exists. */
function nearestExisting(path: string): string {
  const above = dirname(path);
  return existsSync(path) || above === path ? path : nearestExisting(above);
}
