import type { Kysely } from "kysely";
import type { EndpointStatus } from "../../wire/endpoint.ts";
import type { RowReader, RowStore } from "../engine/store.ts";
import type { CheckRecord } from "./records.ts";
import type { ChecksTable, HistorySchema } from "./schema.ts";
import type { HistoryWriter } from "./writer.ts";

/** The history of health checks. Every query throws `StorageError`. */
export class Checks {
  readonly #store: RowStore<HistorySchema>;
  readonly #reader: Kysely<HistorySchema>;
  readonly #writer: HistoryWriter;

  constructor(
    store: RowStore<HistorySchema>,
    reader: RowReader<HistorySchema>,
    writer: HistoryWriter,
  ) {
    this.#store = store;
    this.#reader = reader.kysely;
    this.#writer = writer;
  }

  /** Stores a check within half a second; it neither waits nor fails. */
  record(check: CheckRecord): void {
    this.#writer.check(check);
  }

  /** The newest checks of an endpoint, newest first; with `before` (unix ms), only older ones. */
  async of(
    endpointId: string,
    { limit = 100, before }: { limit?: number; before?: number } = {},
  ): Promise<CheckRecord[]> {
    let query = this.#reader.selectFrom("checks").selectAll().where("endpoint_id", "=", endpointId);
    if (before !== undefined) query = query.where("checked_at", "<", before);
    const newest = query.orderBy("checked_at", "desc").orderBy("seq", "desc").limit(limit);
    return (await newest.execute()).map(toCheck);
  }

  /**
   * Deletes checks before `before` (unix ms), and the oldest ones beyond `rowsMax`, in small
   * transactions, until `signal` aborts. Returns how many.
   */
  async prune(before: number, rowsMax: number, signal?: AbortSignal): Promise<number> {
    const rows = { table: "checks", key: "seq" };
    const old = await this.#store.prune({ ...rows, column: "checked_at", before }, signal);
    const newest = this.#reader.selectFrom("checks").select((row) => row.fn.max("seq").as("seq"));
    const last = (await newest.executeTakeFirst())?.seq ?? 0;
    const excess = { ...rows, column: "seq", before: last - rowsMax + 1 };
    return old + (await this.#store.prune(excess, signal));
  }
}

function toCheck(row: ChecksTable): CheckRecord {
  return {
    endpointId: row.endpoint_id,
    checkedAt: row.checked_at,
    succeeded: row.succeeded === 1,
    latencyMs: row.latency_ms,
    error: row.error,
    statusBefore: row.status_before as EndpointStatus,
    statusAfter: row.status_after as EndpointStatus,
  };
}
