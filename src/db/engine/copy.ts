import { Database } from "bun:sqlite";
import { schemaOf } from "./migrate.ts";

/** As long as another process's transaction may last. */
const BUSY_MS = 5000;

/**
 * Copies a database as it is at one moment, whoever writes to it meanwhile, into a new file, and
 * returns its schema. Throws if it cannot be read, or the copy not written.
 */
export function copyDatabase({ from, to }: { from: string; to: string }): number {
  const db = new Database(from, { readonly: true });
  try {
    db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // One reading transaction for all of it. Source: sqlite.org/lang_vacuum.html#vacuuminto
    db.run("VACUUM INTO ?", [to]);
    return schemaOf(db);
  } finally {
    db.close();
  }
}
