import { ApiError, UNEXPECTED_MESSAGE } from "../../wire/error.ts";
import { STORAGE_FAULTS, type StorageFault } from "../../wire/storagefault.ts";

/**
 * What was wrong with a statement. A fault of the disk or the file: the same statement may succeed
 * later. `duplicate`: another row has the same value in a column where values are unique. `closed`:
 * the store was closed before. `refused`: everything else, such as a value that a column does not
 * allow.
 */
type StorageReason = StorageFault | "duplicate" | "closed" | "refused";

interface StorageErrorOptions {
  /** The database's own name of the error, for the log. */
  databaseCode: string;
  /** For `duplicate`: the unique columns, each as `table.column`. Default: none. */
  columns?: readonly string[];
}

/** A statement failed. Its message names the file; clients are told without. */
export class StorageError extends ApiError {
  readonly reason: StorageReason;
  readonly columns: readonly string[];

  constructor(reason: StorageReason, message: string, options: StorageErrorOptions) {
    const { kind, clientMessage, code } = meaningOf(reason);
    super(kind, message, { code, clientMessage, cause: options.databaseCode });
    this.name = "StorageError";
    this.reason = reason;
    this.columns = options.columns ?? [];
  }
}

function meaningOf(reason: StorageReason) {
  if (reason === "duplicate" || reason === "refused") {
    return { kind: "internal", clientMessage: UNEXPECTED_MESSAGE, code: undefined } as const;
  }
  const fault = reason === "closed" ? "failed" : reason;
  return { ...STORAGE_FAULTS[fault], code: `storage_${fault}` };
}

/** Whether a row was refused because another one has the same value in `table.column`. */
export function isDuplicate(error: unknown, column: string): boolean {
  return (
    error instanceof StorageError && error.reason === "duplicate" && error.columns.includes(column)
  );
}

const LASTING = new Set<StorageReason>(["duplicate", "closed", "refused"]);

/** The result of a write, or undefined if another row has the same value in `table.column`. */
export async function unlessDuplicate<T>(column: string, write: () => Promise<T>) {
  try {
    return await write();
  } catch (cause) {
    if (isDuplicate(cause, column)) return undefined;
    throw cause;
  }
}

/** Whether the same write may succeed later: it failed for the disk, not for its content. */
export function isTransient(error: unknown): boolean {
  return error instanceof StorageError && !LASTING.has(error.reason);
}
