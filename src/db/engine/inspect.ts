import { Database } from "bun:sqlite";
import { accessSync, constants, statSync } from "node:fs";
import { refuseNewer } from "./migrate.ts";
import { fileProblem, sqliteCause } from "./sqliteerror.ts";
import type { Migration } from "./store.ts";

/** What a look at a database file found. */
export interface FileReport {
  /** Of the file and what is still beside it (`-wal`). */
  sizeBytes: number;
  /** A sentence with what to do; undefined: the file can be used. */
  problem?: string;
}

/** The rows of a query. */
export type Query = (sql: string) => unknown[];

/** How long a look waits for another process's lock. */
const BUSY_MS = 1000;

/**
 * Looks at a database without changing it: whether it can be read and written, is whole, and of a
 * schema that this program knows; `read` may ask it for more. Undefined: there is no such file.
 */
export function inspectFile(
  path: string,
  migrations: readonly Migration[],
  read?: (query: Query) => void,
): FileReport | undefined {
  if (sizeOf(path) === undefined) return undefined;
  const sizeBytes = (sizeOf(path) ?? 0) + (sizeOf(`${path}-wal`) ?? 0);
  try {
    requireWritable(path);
    const db = new Database(path, { readonly: true });
    try {
      db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
      refuseNewer(db, migrations);
      const query: Query = (sql) => rowsOf(db, sql);
      requireWhole(query, path);
      read?.(query);
    } finally {
      db.close();
    }
    return { sizeBytes };
  } catch (thrown) {
    return { sizeBytes, problem: problemOf(thrown, path) };
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

function requireWritable(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new Error(fileProblem("SQLITE_READONLY", "", path), { cause });
  }
}

/** The quick check leaves out only whether indexes agree with their tables. */
function requireWhole(query: Query, path: string): void {
  const [row] = query("PRAGMA quick_check(1)") as { quick_check: string }[];
  if (row?.quick_check === "ok") return;
  throw new Error(`${fileProblem("SQLITE_CORRUPT", "", path)} SQLite says: ${row?.quick_check}`);
}

/** A statement that is left to the garbage collector would keep the file open until then. */
function rowsOf(db: Database, sql: string): unknown[] {
  const statement = db.prepare(sql);
  try {
    return statement.all();
  } finally {
    statement.finalize();
  }
}

function problemOf(thrown: unknown, path: string): string {
  const { code, message } = sqliteCause(thrown);
  return code === undefined ? message : fileProblem(code, message, path);
}
