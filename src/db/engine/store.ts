import type { Kysely } from "kysely";

/** One step of a store's schema. A released step never changes; new steps go to the end. */
export interface Migration {
  name: string;
  /** SQL statements, or a function that runs some. */
  up: string | ((db: { run(sql: string): unknown }) => void);
}

/** A compiled statement of a batch, and the parameters it runs with. */
export interface BatchStatement {
  sql: string;
  /**
   * Each text is JSON: the list of parameters of one run, or several such lists with commas
   * between them. Without any, the statement is left out.
   */
  rows: string[];
}

/** Which rows `Store.prune` deletes. */
export interface PruneOptions {
  table: string;
  /** The column that identifies a row. */
  key: string;
  /** Rows whose `column` is less than `before` are deleted, smallest first. */
  column: string;
  before: number;
}

/** A connection for queries that take long: it holds up no writing, and cannot write. */
export interface RowReader<Schema> {
  /** Every query throws `StorageError`. */
  readonly kysely: Kysely<Schema>;
  close(): Promise<void>;
}

/** A store that is open for reading and writing. */
export interface RowStore<Schema> extends RowReader<Schema> {
  /** Runs statements in one transaction, in order. Throws `StorageError`; then none of them ran. */
  batch(statements: readonly BatchStatement[]): Promise<void>;
  /**
   * Deletes rows in small transactions, until none is left or `signal` aborts, and gives their
   * space back. Returns how many rows were deleted. Throws `StorageError`.
   */
  prune(options: PruneOptions, signal?: AbortSignal): Promise<number>;
}
