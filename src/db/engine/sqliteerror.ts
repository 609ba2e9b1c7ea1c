import { errorMessage } from "../../lib/errormessage.ts";
import type { StorageFault } from "../../wire/storagefault.ts";
import { StorageError } from "./error.ts";

const DUPLICATE = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/;

/** What is wrong with the file, and what to do about it; the first that fits. */
const FAULTS: [RegExp, StorageFault, string | undefined][] = [
  [/^SQLITE_FULL/, "full", "the disk is full. Make room on it; what waits is written then."],
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    "damaged",
    "the file is damaged or no database. Stop llmlb, and restore the file from a backup, or move \
it away to start with an empty one.",
  ],
  [
    /^SQLITE_READONLY/,
    "read_only",
    "the file or its disk is read-only. Make it writable for this user.",
  ],
  [
    /^SQLITE_CANTOPEN/,
    "failed",
    "the file cannot be opened. Is it there, and readable for this user?",
  ],
  [/^SQLITE_IOERR/, "failed", "the disk reports an error. Look into the system's log."],
  [/^SQLITE_(BUSY|LOCKED)/, "locked", "another process has locked it for too long."],
  [/^SQLITE_(NOMEM|PROTOCOL)/, "failed", undefined],
];

/**
 * The error of a statement that SQLite refused, from SQLite's result code
 * (https://sqlite.org/rescode.html) and its message. Names the file at `path` where it is to blame.
 */
export function sqliteError(code: string, message: string, path: string): StorageError {
  const fault = FAULTS.find(([pattern]) => pattern.test(code))?.[1];
  const options = { databaseCode: code };
  if (fault !== undefined)
    return new StorageError(fault, fileProblem(code, message, path), options);
  if (!DUPLICATE.test(code)) return new StorageError("refused", message, options);
  // UNIQUE constraint failed: endpoints.name, endpoints.node_id
  const columns = message.slice(message.indexOf(": ") + 2).split(", ");
  return new StorageError("duplicate", message, { ...options, columns });
}

/** A sentence about a database file, from SQLite's result code and message. */
export function fileProblem(code: string, message: string, path: string): string {
  const advice = FAULTS.find(([pattern]) => pattern.test(code))?.[2];
  return `Using ${path} failed: ${advice ?? `${message}.`}`;
}

/** SQLite's own error: the one thrown, or the cause of a migration's. No code: it is another's. */
export function sqliteCause(thrown: unknown): { code: string | undefined; message: string } {
  const chain = thrown instanceof Error ? [thrown, thrown.cause] : [thrown];
  for (const error of chain) {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    if (String(code).startsWith("SQLITE_")) return { code: String(code), message: String(message) };
  }
  return { code: undefined, message: errorMessage(thrown) };
}
