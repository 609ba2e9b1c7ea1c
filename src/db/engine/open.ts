import { Database } from "bun:sqlite";
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Kysely } from "kysely";
import { Mutex } from "../../lib/mutex.ts";
import { threadDialect } from "./dialect.ts";
import { migrate, schemaOf } from "./migrate.ts";
import { prune } from "./prune.ts";
import { fileProblem, sqliteCause } from "./sqliteerror.ts";
import type { Migration, RowReader, RowStore } from "./store.ts";
import { Thread } from "./thread.ts";

interface StoreOptions {
  /** The database file, absolute. */
  path: string;
  /** All steps of the schema, oldest first. */
  migrations: readonly Migration[];
  /** How long a statement waits for another process's lock, in ms. */
  busyMs: number;
  /** What was written survives a loss of power, too. Default: false, and only order is kept. */
  durable?: boolean;
}

/** How long opening waits for another process's lock. */
const OPEN_BUSY_MS = 5000;

/**
 * Opens a database and brings it to the newest schema. The file is created if there is none, only
 * for this user to read. Throws if it cannot be written, is no database or from a newer program.
 */
export function openStore<Schema>(options: StoreOptions): RowStore<Schema> {
  const { path, migrations, busyMs, durable = false } = options;
  createFile(path);
  prepare(path, migrations);
  return storeOver<Schema>(new Thread({ path, busyMs, durable }));
}

/**
 * Opens a second connection to a database that `openStore` has opened. A statement waits up to
 * `busyMs` ms for another process's lock.
 */
export function openReader<Schema>(path: string, busyMs: number): RowReader<Schema> {
  return storeOver<Schema>(new Thread({ path, busyMs, readOnly: true }));
}

function storeOver<Schema>(thread: Thread): RowStore<Schema> {
  const lock = new Mutex();
  const kysely = new Kysely<Schema>({ dialect: threadDialect(thread, lock) });
  return {
    kysely,
    async batch(statements) {
      const used = statements.filter(({ rows }) => rows.length > 0);
      if (used.length === 0) return;
      const text = used.map(({ sql, rows }) => `{"sql":${JSON.stringify(sql)},"rows":[${rows}]}`);
      await lock.run(() => thread.perform({ kind: "batch", statements: `[${text}]` }));
    },
    prune: (options, signal) => prune(kysely, options, signal),
    close: () => lock.run(() => thread.close()),
  };
}

/** SQLite gives its WAL and shared-memory files the mode of the database file. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new Error(`Opening ${path}: ${reason}. Is the folder writable?`, { cause });
  }
}

function prepare(path: string, migrations: readonly Migration[]): void {
  const db = new Database(path, { readwrite: true });
  try {
    db.run(`PRAGMA busy_timeout = ${OPEN_BUSY_MS}`);
    // Only before the first table exists: pruning can then give space back to the file system.
    if (schemaOf(db) === 0) db.run("PRAGMA auto_vacuum = INCREMENTAL");
    db.run("PRAGMA journal_mode = WAL");
    migrate(db, migrations);
  } catch (cause) {
    const { code, message } = sqliteCause(cause);
    if (code === undefined) throw cause;
    throw new Error(fileProblem(code, message, path), { cause });
  } finally {
    db.close(true);
  }
}
