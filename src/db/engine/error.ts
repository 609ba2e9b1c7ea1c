/** A statement that the database refused. */
export class StorageError extends Error {
  /** SQLite's own name, e.g. `SQLITE_FULL`; `THREAD_ENDED` if the database's thread died. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "StorageError";
    this.code = code;
  }
}

/** Whether a row was refused because another one has the same value in `table.column`. */
export function isDuplicate(error: unknown, column: string): boolean {
  if (!(error instanceof StorageError)) return false;
  const unique = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code);
  return unique && error.message.includes(column);
}

/** What passes by itself or with more room: the same rows may be written again later. */
const PASSING = /^(SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PROTOCOL)|THREAD_ENDED)/;

/** Whether a write failed for the state of the disk or of the database, not for its content. */
export function isTransient(error: unknown): boolean {
  return error instanceof StorageError && PASSING.test(error.code);
}
