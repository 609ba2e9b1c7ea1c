import { join } from "node:path";
import type { Logger } from "../../lib/log.ts";
import { openReader, openStore } from "../engine/open.ts";
import type { SecretKey } from "../state/secretkey.ts";
import { AUDIT_MIGRATIONS, type AuditSchema } from "./schema.ts";
import { AuditReader, AuditTable } from "./table.ts";

/** As long as another process's transaction may last. */
const BUSY_MS = 5000;

/** Where the audit log of a data folder is. */
export function auditPath(home: string): string {
  return join(home, "audit.db");
}

/** The audit log of a data folder. */
export interface AuditStore {
  /** The data folder. */
  home: string;
  /** What proves that records are this llmlb's own; it is in no database. */
  key: Uint8Array;
  /** Undefined: the file cannot be used. */
  table: AuditTable | undefined;
}

interface AuditStoreOptions {
  home: string;
  secret: SecretKey;
  log: Logger;
}

/**
 * Opens the audit log of a data folder. If that fails there is an error in the log, and llmlb goes
 * on without: it tells each event in its own log.
 */
export function openAuditStore({ home, secret, log }: AuditStoreOptions): AuditStore {
  return { home, key: auditKeyOf(secret), table: openTable(auditPath(home), log) };
}

/** The key of the audit log of a data folder with this secret. */
export function auditKeyOf(secret: SecretKey): Uint8Array {
  return secret.derive("audit log");
}

function openTable(path: string, log: Logger): AuditTable | undefined {
  try {
    const options = { path, migrations: AUDIT_MIGRATIONS, busyMs: BUSY_MS, durable: true };
    return new AuditTable(openStore<AuditSchema>(options));
  } catch (err) {
    log.error({ err }, "audit.unavailable");
    return undefined;
  }
}

/** Opens its rows to be read only, while no llmlb uses it. The file must exist. */
export function openAuditReader(home: string): AuditReader & { close(): Promise<void> } {
  const reader = openReader<AuditSchema>(auditPath(home), BUSY_MS);
  return Object.assign(new AuditReader(reader), { close: () => reader.close() });
}
