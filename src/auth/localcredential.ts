import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../lib/privatefile.ts";

const FILE = "local.key";
const FORMAT = /^local_[\w-]{43}$/;

/**
 * What the commands of this machine's user prove themselves with: a file in the data folder that
 * only he can read. Undefined if there is none, or it is not readable.
 */
export function readLocalCredential(home: string): string | undefined {
  try {
    const text = readFileSync(join(home, FILE), "utf8").trim();
    return FORMAT.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The credential of the data folder `home`; makes one if there is none. */
export function openLocalCredential(home: string): string {
  const existing = readLocalCredential(home);
  if (existing !== undefined) return existing;
  const made = `local_${randomBytes(32).toString("base64url")}`;
  writePrivateFile(join(home, FILE), `${made}\n`);
  return made;
}
