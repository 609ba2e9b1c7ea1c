/**
 * The code of a database's own thread: it has one connection and handles one request after the
 * other. thread.ts starts it from its text, in the single executable too, so it can import only
 * what is built in.
 */
import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { getPriority, setPriority } from "node:os";

/** What a connection can be asked to do. */
export type WorkerRequest =
  | { kind: "open"; path: string; busyMs: number; readOnly: boolean; durable: boolean }
  | { kind: "query"; sql: string; params: readonly unknown[] }
  /** JSON of `{sql, rows}[]`: runs each statement with each of its rows, in one transaction. */
  | { kind: "batch"; statements: string }
  | { kind: "close" };

/** How a request ended; `code` is SQLite's, e.g. `SQLITE_FULL`. */
export type WorkerResponse =
  | { ok: true; rows: unknown[]; changes: number }
  | { ok: false; code: string; message: string };

/** Most statements that stay compiled; the least recently used one is dropped first. */
const STATEMENTS_MAX = 256;

/**
 * Serving requests goes before writing about them. Only Linux has a priority for each thread;
 * elsewhere this would slow down the whole process.
 */
const NICENESS_MORE = 5;
if (process.platform === "linux") setPriority(Math.min(19, getPriority() + NICENESS_MORE));

let db: Database | undefined;
const statements = new Map<string, Statement>();

self.onmessage = ({ data }: MessageEvent<WorkerRequest & { id: number }>) => {
  self.postMessage({ id: data.id, ...responseTo(data) });
};

function responseTo(request: WorkerRequest): WorkerResponse {
  try {
    return perform(request);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return { ok: false, code: String(code ?? "UNKNOWN"), message: String(message ?? error) };
  }
}

function perform(request: WorkerRequest): WorkerResponse {
  switch (request.kind) {
    case "open":
      open(request);
      return { ok: true, rows: [], changes: 0 };
    case "query":
      return query(request.sql, request.params as SQLQueryBindings[]);
    case "batch":
      return batch(JSON.parse(request.statements));
    case "close":
      close();
      return { ok: true, rows: [], changes: 0 };
  }
}

function open({ path, busyMs, readOnly, durable }: WorkerRequest & { kind: "open" }): void {
  db = new Database(path, { readwrite: true, create: false });
  db.run(`PRAGMA busy_timeout = ${busyMs}`);
  db.run(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
  db.run("PRAGMA foreign_keys = ON");
  db.run("PRAGMA temp_store = MEMORY");
  if (readOnly) db.run("PRAGMA query_only = ON");
}

function query(sql: string, params: SQLQueryBindings[]): WorkerResponse {
  const statement = prepared(sql);
  if (statement.columnNames.length === 0) {
    return { ok: true, rows: [], changes: statement.run(...params).changes };
  }
  return { ok: true, rows: statement.all(...params), changes: 0 };
}

function batch(batched: { sql: string; rows: SQLQueryBindings[][] }[]): WorkerResponse {
  const connection = opened();
  let changes = 0;
  connection.run("BEGIN IMMEDIATE");
  try {
    for (const { sql, rows } of batched) {
      const statement = prepared(sql);
      for (const row of rows) changes += statement.run(...row).changes;
    }
    connection.run("COMMIT");
  } catch (error) {
    // SQLite itself rolls back when the disk is full.
    if (connection.inTransaction) connection.run("ROLLBACK");
    throw error;
  }
  return { ok: true, rows: [], changes };
}

function prepared(sql: string): Statement {
  const cached = statements.get(sql);
  if (cached !== undefined) {
    statements.delete(sql);
    statements.set(sql, cached);
    return cached;
  }
  const statement = opened().prepare(sql);
  statements.set(sql, statement);
  if (statements.size > STATEMENTS_MAX) dropOldest();
  return statement;
}

function dropOldest(): void {
  for (const [sql, statement] of statements) {
    statement.finalize();
    statements.delete(sql);
    return;
  }
}

function close(): void {
  for (const statement of statements.values()) statement.finalize();
  statements.clear();
  db?.close(true);
  db = undefined;
}

function opened(): Database {
  if (db === undefined) throw new Error("The database is closed.");
  return db;
}
