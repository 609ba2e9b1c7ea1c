import { existsSync } from "node:fs";
import { join } from "node:path";
import { readLocalCredential } from "../../auth/localcredential.ts";
import { openIdentity } from "../../node/membership/identity.ts";
import type { PidFile } from "../process/pidfile.ts";

/**
 * What this machine's user proves himself with to a llmlb that runs from his data folder: only he
 * can read the files that it is in. Undefined if there is none.
 */
export function localKeyOf({ mode }: Pick<PidFile, "mode">, home: string): string | undefined {
  return mode === "node" ? nodeKey(home) : readLocalCredential(home);
}

/** The key that a node beyond loopback requires. */
function nodeKey(home: string): string | undefined {
  try {
    return existsSync(join(home, "node.json")) ? openIdentity(home).key : undefined;
  } catch {
    return undefined; // Damaged: a node on loopback requires no key.
  }
}
