import type { Kysely } from "kysely";
import type { Store } from "../engine/open.ts";
import { prune } from "../engine/prune.ts";
import type { ChecksTable, HistorySchema } from "../schema.ts";
import type { EndpointStatus } from "../state/endpoints.ts";
import type { HistoryWriter } from "./writer.ts";

/** One health check of an endpoint. */
export interface CheckRecord {
  endpointId: string;
  /** Unix ms. */
  checkedAt: number;
  succeeded: boolean;
  latencyMs: number | null;
  error: string | null;
  statusBefore: EndpointStatus;
  statusAfter: EndpointStatus;
}

/** The history of health checks. */
export class Checks {
  readonly #store: Store<HistorySchema>;
  readonly #reader: Kysely<HistorySchema>;
  readonly #writer: HistoryWriter;

  constructor(store: Store<HistorySchema>, reader: Kysely<HistorySchema>, writer: HistoryWriter) {
    this.#store = store;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Takes a check into the history, within half a second and without waiting or failing. */
  record(check: CheckRecord): void {
    this.#writer.check(check);
  }

  /** The latest checks of an endpoint, newest first; with `before`, those older than that. */
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
   * Forgets checks before `before` (unix ms), and the oldest beyond `rowsMax`, in small pieces.
   * Returns how many.
   */
  async prune(before: number, rowsMax: number, signal?: AbortSignal): Promise<number> {
    const table = "checks";
    const old = await prune(this.#store, { table, column: "checked_at", before }, signal);
    const newest = this.#reader.selectFrom(table).select((row) => row.fn.max("seq").as("seq"));
    const last = (await newest.executeTakeFirst())?.seq ?? 0;
    const excess = { table, column: "seq", before: last - rowsMax + 1 } as const;
    return old + (await prune(this.#store, excess, signal));
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
