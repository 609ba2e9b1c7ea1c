import type { Database } from "bun:sqlite";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Migration } from "./store.ts";

/**
 * Brings a database to the newest schema. Each step is a transaction of its own, so that a crash
 * leaves a whole step or none. Several processes may do so at once. Throws if a step fails. Throws,
 * and changes nothing, if a newer program wrote the file.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  refuseNewer(db, migrations);
  for (const [i, migration] of migrations.entries()) {
    if (schemaOf(db) > i) continue;
    db.run("BEGIN IMMEDIATE");
    try {
      // Another process may have taken this step while we waited for the lock.
      if (schemaOf(db) === i) apply(db, migration, i + 1);
      db.run("COMMIT");
    } catch (cause) {
      if (db.inTransaction) db.run("ROLLBACK");
      const reason = errorMessage(cause);
      throw new Error(`Updating ${db.filename} to "${migration.name}": ${reason}`, { cause });
    }
  }
  refuseNewer(db, migrations);
}

/** How many migrations a database has had. */
export function schemaOf(db: Database): number {
  // A statement that is left to the garbage collector would keep the file open until then.
  const statement = db.prepare<{ user_version: number }, []>("PRAGMA user_version");
  try {
    return statement.get()?.user_version ?? 0;
  } finally {
    statement.finalize();
  }
}

/** Throws if a newer program wrote the file. */
export function refuseNewer(db: Database, migrations: readonly Migration[]): void {
  const schema = schemaOf(db);
  if (schema <= migrations.length) return;
  throw new Error(
    `Opening ${db.filename}: it was written by a newer llmlb (schema ${schema}, this one knows ` +
      `${migrations.length}). Install that version again, or choose another folder with --home.`,
  );
}

function apply(db: Database, { up }: Migration, schema: number): void {
  if (typeof up === "string") db.run(up);
  else up(db);
  db.run(`PRAGMA user_version = ${schema}`);
}
