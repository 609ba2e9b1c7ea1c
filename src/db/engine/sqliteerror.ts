import { StorageError } from "./error.ts";

const UNAVAILABLE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PROTOCOL)/;
const DUPLICATE = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/;

/**
 * The error of a statement that SQLite refused, from SQLite's result code
 * (https://sqlite.org/rescode.html) and its message.
 */
export function sqliteError(code: string, message: string): StorageError {
  if (UNAVAILABLE.test(code)) return new StorageError("unavailable", message, { code });
  if (!DUPLICATE.test(code)) return new StorageError("refused", message, { code });
  // UNIQUE constraint failed: endpoints.name, endpoints.node_id
  const columns = message.slice(message.indexOf(": ") + 2).split(", ");
  return new StorageError("duplicate", message, { code, columns });
}
