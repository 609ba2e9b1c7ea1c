/**
 * What was wrong with a statement. `duplicate`: another row has the same value in a column where
 * values are unique. `unavailable`: the disk or the database cannot do it now; the same statement
 * may succeed later. `closed`: the store was closed before. `refused`: everything else, such as a
 * value that a column does not allow.
 */
type StorageErrorKind = "duplicate" | "unavailable" | "closed" | "refused";

interface StorageErrorOptions {
  /** The database's own name of the error, for the log. */
  code: string;
  /** For `duplicate`: the unique columns, each as `table.column`. Default: none. */
  columns?: readonly string[];
}

/** A statement failed. */
export class StorageError extends Error {
  readonly kind: StorageErrorKind;
  readonly code: string;
  readonly columns: readonly string[];

  constructor(kind: StorageErrorKind, message: string, options: StorageErrorOptions) {
    super(message);
    this.name = "StorageError";
    this.kind = kind;
    this.code = options.code;
    this.columns = options.columns ?? [];
  }
}

/** Whether a row was refused because another one has the same value in `table.column`. */
export function isDuplicate(error: unknown, column: string): boolean {
  return (
    error instanceof StorageError && error.kind === "duplicate" && error.columns.includes(column)
  );
}

/** Whether the same write may succeed later: it failed for the disk, not for its content. */
export function isTransient(error: unknown): boolean {
  return error instanceof StorageError && error.kind === "unavailable";
}
