import { auditKeyOf, auditPath, openAuditReader } from "../../db/audit/file.ts";
import type { ChainPlace } from "../../db/audit/record.ts";
import { readSecretKey } from "../../db/state/secretkey.ts";
import { HeadFile } from "./headfile.ts";
import { type Verification, verify } from "./verification.ts";

/**
 * Checks the audit log of a data folder from which no llmlb runs; it changes nothing. `known` is a
 * place that the log is known to have had. Throws if there is none, or it cannot be read.
 */
export async function verifyOffline(home: string, known?: ChainPlace): Promise<Verification> {
  const path = auditPath(home);
  if (!(await Bun.file(path).exists())) {
    throw new Error(`Checking ${path}: there is no such file. Has llmlb ever run from ${home}?`);
  }
  const secret = readSecretKey(home);
  if (secret === undefined) {
    throw new Error(`Checking ${path}: secret.key beside it is missing. Restore it from a backup.`);
  }
  const key = auditKeyOf(secret);
  const table = openAuditReader(home);
  try {
    return await verify({ table, key, known: [known], head: new HeadFile(home, key).read() });
  } finally {
    await table.close();
  }
}
