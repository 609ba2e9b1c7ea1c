import type { RowReader, RowStore } from "../engine/store.ts";
import type { HistorySchema } from "./schema.ts";
import type { HistoryWriter } from "./writer.ts";

/** The file of the history, as its tables use it. */
export interface HistoryFile {
  /** Deletes rows. */
  store: RowStore<HistorySchema>;
  /** Reads, while the store writes. */
  reader: RowReader<HistorySchema>;
  /** Takes what is recorded, without waiting. */
  writer: HistoryWriter;
}

/** What stays in a table. */
export interface RowBounds {
  table: "checks" | "responses";
  /** When a row was made, in unix ms. */
  column: string;
  /** Older rows are deleted (unix ms). */
  before: number;
  /** Most rows that stay, the newest ones. */
  rowsMax: number;
}

/**
 * Deletes the rows that are too old, and the oldest ones beyond a number, in small transactions,
 * until `signal` aborts. Returns how many. Throws `StorageError`.
 */
export async function pruneTo(
  { store, reader }: HistoryFile,
  { table, column, before, rowsMax }: RowBounds,
  signal?: AbortSignal,
): Promise<number> {
  const rows = { table, key: "seq" };
  const old = await store.prune({ ...rows, column, before }, signal);
  const newest = reader.kysely.selectFrom(table).select((row) => row.fn.max("seq").as("seq"));
  const last = (await newest.executeTakeFirst())?.seq ?? 0;
  const excess = { ...rows, column: "seq", before: last - rowsMax + 1 };
  return old + (await store.prune(excess, signal));
}
