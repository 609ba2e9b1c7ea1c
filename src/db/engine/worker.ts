/**
 * What runs in a database's own thread: one connection, and whatever the thread's owner asks of
 * it, in the order of asking. It is started from its text (see thread.ts), also inside the single
 * executable, and therefore imports nothing that is not built in.
 */
import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { getPriority, setPriority } from "node:os";

/** What a connection is asked to do. */
export type WorkerRequest =
  | { kind: "open"; path: string; busyMs: number; readOnly: boolean }
  | { kind: "query"; sql: string; params: readonly unknown[] }
  /** JSON of `{sql, rows}[]`: every statement with each of its rows, in one transaction. */
  | { kind: "batch"; steps: string }
  | { kind: "close" };

/** What came of an order. */
export type WorkerResponse =
  | { ok: true; rows: unknown[]; changes: number }
  | { ok: false; code: string; message: string };

/** Statements kept compiled; the least recently used one goes first. */
const STATEMENTS_MAX = 256;

/** Requests go before what is written about them; under Linux this is of a thread, not of all. */
const NICER = 5;
if (process.platform === "linux") setPriority(Math.min(19, getPriority() + NICER));

let db: Database | undefined;
const statements = new Map<string, Statement>();

self.onmessage = ({ data }: MessageEvent<WorkerRequest & { id: number }>) => {
  self.postMessage({ id: data.id, ...outcomeOf(data) });
};

function outcomeOf(order: WorkerRequest): WorkerResponse {
  try {
    return perform(order);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return { ok: false, code: String(code ?? "UNKNOWN"), message: String(message ?? error) };
  }
}

function perform(order: WorkerRequest): WorkerResponse {
  switch (order.kind) {
    case "open":
      open(order.path, order.busyMs, order.readOnly);
      return { ok: true, rows: [], changes: 0 };
    case "query":
      return query(order.sql, order.params as SQLQueryBindings[]);
    case "batch":
      return batch(JSON.parse(order.steps));
    case "close":
      close();
      return { ok: true, rows: [], changes: 0 };
  }
}

function open(path: string, busyMs: number, readOnly: boolean): void {
  db = new Database(path, { readwrite: true, create: false });
  db.run(`PRAGMA busy_timeout = ${busyMs}`);
  db.run("PRAGMA synchronous = NORMAL");
  db.run("PRAGMA foreign_keys = ON");
  db.run("PRAGMA temp_store = MEMORY");
  if (readOnly) db.run("PRAGMA query_only = ON");
}

function query(sql: string, params: SQLQueryBindings[]): WorkerResponse {
  const found = prepared(sql);
  if (found.columnNames.length > 0) return { ok: true, rows: found.all(...params), changes: 0 };
  return { ok: true, rows: [], changes: found.run(...params).changes };
}

function batch(steps: { sql: string; rows: SQLQueryBindings[][] }[]): WorkerResponse {
  const connection = opened();
  let changes = 0;
  connection.run("BEGIN IMMEDIATE");
  try {
    for (const { sql, rows } of steps) {
      const statement = prepared(sql);
      for (const row of rows) changes += statement.run(...row).changes;
    }
    connection.run("COMMIT");
  } catch (error) {
    // A full disk may have rolled back by itself.
    if (connection.inTransaction) connection.run("ROLLBACK");
    throw error;
  }
  return { ok: true, rows: [], changes };
}

function prepared(sql: string): Statement {
  const known = statements.get(sql);
  if (known !== undefined) {
    statements.delete(sql);
    statements.set(sql, known);
    return known;
  }
  const statement = opened().prepare(sql);
  statements.set(sql, statement);
  if (statements.size > STATEMENTS_MAX) forgetOldest();
  return statement;
}

function forgetOldest(): void {
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
