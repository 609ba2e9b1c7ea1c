import type { App } from "../../http/server/app.ts";
import type { SlotGate } from "../routing/gate.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

export interface QueueStatsParts {
  pool: UpstreamPool;
  gate: SlotGate<Endpoint>;
}

/**
 * `GET /api/queue/stats`: the requests that wait for a slot and that have one now; averages in
 * milliseconds and other counts since the start.
 */
export function routeQueueStats(app: App, { pool, gate }: QueueStatsParts): void {
  app.get("/api/queue/stats", function showQueueStats(c) {
    const { counts } = gate.scheduler;
    let processing = 0;
    let finished = 0;
    let latencyTotalMs = 0;
    for (const { load } of pool.endpoints) {
      processing += load.active;
      finished += load.successes + load.errors;
      latencyTotalMs += load.latencyTotalMs;
    }
    return c.json({
      waiting_count: gate.scheduler.waiting(),
      processing_count: processing,
      queued_count: counts.waited,
      avg_wait_time_ms: average(counts.waitedMsTotal, counts.waited),
      avg_process_time_ms: average(latencyTotalMs, finished),
      timeout_count: counts.timedOut,
      rejected_count: counts.rejected,
    });
  });
}

function average(total: number, count: number): number {
  return count === 0 ? 0 : Math.round((total / count) * 10) / 10;
}
