import { StorageError } from "./error.ts";

const UNAVAILABLE =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PROTOCOL|CORRUPT|NOTADB)/;
const DUPLICATE = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/;

/** What is wrong with the file, and what to do about it; the first that fits. */
const ADVICE: [RegExp, string][] = [
  [/^SQLITE_FULL/, "the disk is full. Make room on it; what waits is written then."],
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    "the file is damaged or no database. Stop llmlb, and restore the file from a backup, or move \
it away to start with an empty one.",
  ],
  [/^SQLITE_READONLY/, "the file or its disk is read-only. Make it writable for this user."],
  [/^SQLITE_CANTOPEN/, "the file cannot be opened. Is it there, and readable for this user?"],
  [/^SQLITE_IOERR/, "the disk reports an error. Look into the system's log."],
  [/^SQLITE_(BUSY|LOCKED)/, "another process has locked it for too long."],
];

/**
 * The error of a statement that SQLite refused, from SQLite's result code
 * (https://sqlite.org/rescode.html) and its message. Names the file at `path` where it is to blame.
 */
export function sqliteError(code: string, message: string, path: string): StorageError {
  if (UNAVAILABLE.test(code)) {
    return new StorageError("unavailable", fileProblem(code, message, path), { code });
  }
  if (!DUPLICATE.test(code)) return new StorageError("refused", message, { code });
  // UNIQUE constraint failed: endpoints.name, endpoints.node_id
  const columns = message.slice(message.indexOf(": ") + 2).split(", ");
  return new StorageError("duplicate", message, { code, columns });
}

/** A sentence about a database file, from SQLite's result code and message. */
export function fileProblem(code: string, message: string, path: string): string {
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1];
  return `Using ${path} failed: ${advice ?? `${message}.`}`;
}

/** SQLite's own error: the one thrown, or the cause of a migration's. No code: it is another's. */
export function sqliteCause(thrown: unknown): { code: string | undefined; message: string } {
  const chain = thrown instanceof Error ? [thrown, thrown.cause] : [thrown];
  for (const error of chain) {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    if (String(code).startsWith("SQLITE_")) return { code: String(code), message: String(message) };
  }
  return { code: undefined, message: thrown instanceof Error ? thrown.message : String(thrown) };
}
