import { Database } from "bun:sqlite";
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Kysely } from "kysely";
import { Mutex } from "../../lib/mutex.ts";
import { threadDialect } from "./dialect.ts";
import { type Migration, migrate, schemaOf } from "./migrate.ts";
import { Thread } from "./thread.ts";

export interface StoreOptions {
  path: string;
  migrations: readonly Migration[];
  /** How long a statement waits for another process's lock. */
  busyMs: number;
}

/**
 * A statement and the rows it is run with: the JSON of a list of parameters each, or of several
 * lists with commas between them.
 */
export interface BatchStatement {
  sql: string;
  rows: string[];
}

/** An open database file. */
export interface Store<Schema> {
  readonly kysely: Kysely<Schema>;
  /** Runs statements in one transaction, in order. Throws `StorageError`; then none of them ran. */
  batch(steps: readonly BatchStatement[]): Promise<void>;
  close(): Promise<void>;
}

/** How long opening waits for another process that has the file. */
const OPEN_BUSY_MS = 5000;

/**
 * Opens a database and brings it to the newest schema. The file is created if there is none, only
 * for this user to read. Throws if it cannot be written, is no database or from a newer program.
 */
export function openStore<Schema>({ path, migrations, busyMs }: StoreOptions): Store<Schema> {
  createFile(path);
  prepare(path, migrations);
  return storeOver<Schema>(new Thread({ path, busyMs }));
}

/** A second connection to an open database, for long queries: they hold up no writing. */
export function openReader<Schema>(path: string, busyMs: number): Store<Schema> {
  return storeOver<Schema>(new Thread({ path, busyMs, readOnly: true }));
}

function storeOver<Schema>(thread: Thread): Store<Schema> {
  const lock = new Mutex();
  const kysely = new Kysely<Schema>({ dialect: threadDialect(thread, lock) });
  return {
    kysely,
    async batch(steps) {
      const used = steps.filter(({ rows }) => rows.length > 0);
      if (used.length === 0) return;
      const text = used.map(({ sql, rows }) => `{"sql":${JSON.stringify(sql)},"rows":[${rows}]}`);
      await lock.run(() => thread.perform({ kind: "batch", steps: `[${text}]` }));
    },
    close: () => lock.run(() => thread.close()),
  };
}

/** SQLite gives its side files the mode of the file itself. */
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
    // Must come before the first table. Room that pruning freed can then be given back.
    if (schemaOf(db) === 0) db.run("PRAGMA auto_vacuum = INCREMENTAL");
    db.run("PRAGMA journal_mode = WAL");
    migrate(db, migrations);
  } catch (cause) {
    if (!/SQLITE_(NOTADB|CORRUPT)/.test(String((cause as { code?: unknown }).code))) throw cause;
    const advice = "Restore it from a backup, or move it away to start with an empty one.";
    throw new Error(`Opening ${path}: the file is damaged or no database. ${advice}`, { cause });
  } finally {
    db.close(true);
  }
}
