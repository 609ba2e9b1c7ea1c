import { sql } from "kysely";
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

/** How much of the history's file is in use, in bytes. Throws `StorageError`. */
export async function usedBytes({ reader }: HistoryFile): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (page_count - freelist_count) * page_size as bytes
    from pragma_page_count, pragma_freelist_count, pragma_page_size`.execute(reader.kysely);
  return rows[0]?.bytes ?? 0;
}
