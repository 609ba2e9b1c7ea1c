import type { Kysely } from "kysely";
import type { Logger } from "../../lib/log.ts";
import type { BatchStatement, RowStore } from "../engine/store.ts";
import { WriteBehindQueue } from "../engine/writebehind.ts";
import type { EndpointHealth, InferenceLatency } from "./endpoint.ts";
import type { StateSchema } from "./schema.ts";

/** What changes in an endpoint's row. */
interface EndpointUpdate {
  endpointId: string;
  health?: EndpointHealth;
  latency?: InferenceLatency;
  /** Requests that ended since the last update. */
  succeeded: number;
  failed: number;
}

/** Writes what often changes in the rows of endpoints: in batches, without waiting or failing. */
export class EndpointWriter {
  readonly queue: WriteBehindQueue<EndpointUpdate>;

  constructor(state: RowStore<StateSchema>, log: Logger) {
    const sql = updateStatements(state.kysely);
    this.queue = new WriteBehindQueue({
      name: "endpoints",
      log,
      bytesOf: () => 200,
      merge,
      write: (updates) => state.batch(batchOf(updates, sql)),
    });
  }

  /** Replaces the stored health of an endpoint. */
  health(endpointId: string, health: EndpointHealth): void {
    this.queue.put(endpointId, { endpointId, health, succeeded: 0, failed: 0 });
  }

  /** Replaces the stored inference latency of an endpoint. */
  latency(endpointId: string, latency: InferenceLatency): void {
    this.queue.put(endpointId, { endpointId, latency, succeeded: 0, failed: 0 });
  }

  /** Counts one request; it may be neither a success nor a failure. */
  count(endpointId: string, succeeded: boolean, failed: boolean): void {
    this.queue.put(endpointId, { endpointId, succeeded: +succeeded, failed: +failed });
  }
}

/** Changes the older update, since a new object for each counted request would cost more. */
function merge(older: EndpointUpdate, newer: EndpointUpdate): EndpointUpdate {
  if (newer.health !== undefined) older.health = newer.health;
  if (newer.latency !== undefined) older.latency = newer.latency;
  older.succeeded += newer.succeeded;
  older.failed += newer.failed;
  return older;
}

/** The statements that update an endpoint; the last parameter of each is the endpoint's id. */
function updateStatements(db: Kysely<StateSchema>) {
  const endpoint = () => db.updateTable("endpoints").where("id", "=", "");
  return {
    /** Parameters: average, when it was measured. */
    latency: endpoint().set({ inference_latency_ms: 0, inference_measured_at: 0 }).compile().sql,
    /** Parameters: status, duration, last seen (null keeps), last error, errors in a row. */
    health: endpoint()
      .set((row) => ({
        status: row.val(""),
        latency_ms: row.val(0),
        last_seen_at: row.fn.coalesce(row.val<number | null>(0), "last_seen_at"),
        last_error: row.val(""),
        error_count: row.val(0),
      }))
      .compile().sql,
    /** Parameters: how many more requests, successes and failures. */
    requests: endpoint()
      .set((row) => ({
        total_requests: row("total_requests", "+", 0),
        succeeded_requests: row("succeeded_requests", "+", 0),
        failed_requests: row("failed_requests", "+", 0),
      }))
      .compile().sql,
  };
}

function batchOf(
  updates: EndpointUpdate[],
  sql: ReturnType<typeof updateStatements>,
): BatchStatement[] {
  const counted = updates.filter(({ succeeded, failed }) => succeeded + failed > 0);
  return [
    {
      sql: sql.health,
      rows: updates.flatMap(({ endpointId, health }) => {
        if (health === undefined) return [];
        const { status, latencyMs, lastSeenAt, lastError, errorCount } = health;
        return JSON.stringify([
          ...[status, latencyMs, lastSeenAt, lastError, errorCount, endpointId],
        ]);
      }),
    },
    {
      sql: sql.latency,
      rows: updates.flatMap(({ endpointId, latency }) => {
        if (latency === undefined) return [];
        return JSON.stringify([latency.ms, latency.measuredAt, endpointId]);
      }),
    },
    {
      sql: sql.requests,
      rows: counted.map(({ endpointId, succeeded, failed }) =>
        JSON.stringify([succeeded + failed, succeeded, failed, endpointId]),
      ),
    },
  ];
}
