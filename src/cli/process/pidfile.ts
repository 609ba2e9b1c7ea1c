import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writePrivateFile } from "../../lib/privatefile.ts";
import { CliError } from "./exit.ts";
import { describeFileError } from "./fileerror.ts";

/** A serving llmlb, as its pid file `<home>/run/serve-<port>.json` describes it. */
const PidFile = z.object({
  pid: z.number().int(),
  started_at: z.string(),
  port: z.number().int(),
  mode: z.enum(["standalone", "balancer", "node"]),
  url: z.string(),
  /** Of llmlb. */
  version: z.string().optional(),
  /** Fingerprint of the certificate that it shows. */
  tls_fingerprint: z.string().optional(),
  /** Why the last upgrade failed, and when; or why there can be none while it runs. */
  upgrade_failed: z
    .object({ at: z.string(), reason: z.string(), is_refused: z.boolean().optional() })
    .optional(),
  /** Where the local node of a standalone llmlb listens. */
  node_url: z.string().optional(),
});
export type PidFile = z.infer<typeof PidFile>;

const NAME = /^serve-\d+\.json$/;

/** The pid file of this process. */
export interface PidFileHandle {
  update(change: Partial<PidFile>): void;
  /** Another process has the file from now on: `update` does nothing. */
  handOver(): void;
  /** Removes the file; may be called when the process exits. */
  remove(): void;
}

/** Writes the pid file of this process. Throws `CliError` if it cannot. */
export function writePidFile(home: string, entry: PidFile): PidFileHandle {
  const folder = join(home, "run");
  const path = join(folder, `serve-${entry.port}.json`);
  let current = entry;
  let isHandedOver = false;
  // Whoever reads it meanwhile must not see half of it.
  const write = () => writePrivateFile(path, `${JSON.stringify(current)}\n`);
  try {
    mkdirSync(folder, { recursive: true });
    write();
  } catch (cause) {
    const message = `Writing ${path} failed: ${describeFileError(cause)}.`;
    throw new CliError(`${message} Other commands find llmlb by it.`, undefined, cause);
  }
  return {
    update(change) {
      if (isHandedOver) return;
      current = { ...current, ...change };
      write();
    },
    handOver() {
      isHandedOver = true;
    },
    remove() {
      // Another process on the same port may have written its own file by now.
      if (read(path)?.pid === entry.pid) rmSync(path, { force: true });
    },
  };
}

/** The llmlb processes that serve from a data folder; files of dead processes are skipped. */
export function listPidFiles(home: string): PidFile[] {
  const folder = join(home, "run");
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // Nothing has ever run from here.
  }
  return names
    .filter((name) => NAME.test(name))
    .map((name) => read(join(folder, name)))
    .filter((entry) => entry !== undefined)
    .filter(({ pid }) => isProcessAlive(pid))
    .sort((a, b) => a.port - b.port);
}

function read(path: string): PidFile | undefined {
  try {
    const result = PidFile.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return result.success ? result.data : undefined;
  } catch {
    return undefined; // Removed meanwhile, or cut off by a crash of the machine.
  }
}

/** Whether a process of this number runs. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
