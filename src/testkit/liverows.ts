import { Database, type SQLQueryBindings } from "bun:sqlite";

/** While another process begins with a database, it is locked for a moment. */
const BUSY_MS = 5000;

/** The rows that a query finds in a database with which a program works. */
export function liveRows<Row>(
  file: string,
  query: string,
  ...parameters: SQLQueryBindings[]
): Row[] {
  using db = new Database(file, { readonly: true });
  db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return db.query<Row, SQLQueryBindings[]>(query).all(...parameters);
}
