import type { Database } from "bun:sqlite";

/** One step of a database's schema. Once released it never changes; new steps go to the end. */
export interface Migration {
  name: string;
  /** SQL statements, or a function that runs some. */
  up: string | ((db: Database) => void);
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own, so that a crash
 * leaves a whole step or none. Several processes may do so at once. Throws if the file was written
 * by a newer program, and then changes nothing.
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
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Updating ${db.filename} to "${migration.name}": ${reason}`, { cause });
    }
  }
  refuseNewer(db, migrations);
}

/** How many steps a database has taken. */
export function schemaOf(db: Database): number {
  // A statement that is left to the garbage collector would keep the file open until then.
  const statement = db.prepare<{ user_version: number }, []>("PRAGMA user_version");
  try {
    return statement.get()?.user_version ?? 0;
  } finally {
    statement.finalize();
  }
}

function refuseNewer(db: Database, migrations: readonly Migration[]): void {
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
