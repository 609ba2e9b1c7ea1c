import { sql } from "kysely";
import type { HistorySchema } from "../schema.ts";
import type { Store } from "./open.ts";

export interface PruneOptions {
  table: "requests" | "checks";
  /** Rows with less than `before` in this column go. */
  column: "started_at" | "checked_at" | "seq";
  before: number;
}

/** Rows that go in one transaction: others write in between. */
const ROWS = 500;
/** Pages given back to the file system in between. */
const PAGES = 1000;

/** Deletes old rows in small pieces until none is left or `signal` ends it. Returns how many. */
export async function prune(
  { kysely }: Store<HistorySchema>,
  { table, column, before }: PruneOptions,
  signal?: AbortSignal,
): Promise<number> {
  let sum = 0;
  while (signal?.aborted !== true) {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where seq in (
        select seq from ${sql.table(table)} where ${sql.ref(column)} < ${before}
        order by ${sql.ref(column)} limit ${ROWS}
      )`.execute(kysely);
    await sql`pragma incremental_vacuum(${sql.lit(PAGES)})`.execute(kysely);
    sum += Number(numAffectedRows);
    if (Number(numAffectedRows) < ROWS) break;
  }
  return sum;
}
