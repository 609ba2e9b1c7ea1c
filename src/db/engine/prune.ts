import { type Kysely, sql } from "kysely";
import type { PruneOptions } from "./store.ts";

/** Most rows that one transaction deletes: others can write in between. */
const ROWS_MAX = 500;
/** Most pages that are given back to the file system after each transaction. */
const PAGES_MAX = 1000;

/** Deletes old rows of a SQLite database; see `Store.prune`. */
export async function prune<Schema>(
  db: Kysely<Schema>,
  { table, key, column, before }: PruneOptions,
  signal?: AbortSignal,
): Promise<number> {
  let sum = 0;
  while (signal?.aborted !== true) {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where ${sql.ref(key)} in (
        select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(column)} < ${before}
        order by ${sql.ref(column)} limit ${ROWS_MAX}
      )`.execute(db);
    await sql`pragma incremental_vacuum(${sql.lit(PAGES_MAX)})`.execute(db);
    sum += Number(numAffectedRows);
    if (Number(numAffectedRows) < ROWS_MAX) break;
  }
  return sum;
}
