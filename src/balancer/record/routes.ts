import type { State } from "../../db/database.ts";
import type { App } from "../../http/server/app.ts";
import type { BodyMemory } from "../../http/server/bodymemory.ts";
import type { Drain } from "../../http/server/drain.ts";
import type { SlotGate } from "../routing/gate.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { EndpointReading, MetricSources } from "./gauges.ts";
import type { Metrics } from "./metrics.ts";
import type { Recorder } from "./recorder.ts";

export interface MetricSourcesOptions {
  pool: UpstreamPool;
  gate: SlotGate<Endpoint>;
  drain: Drain;
  bodies: BodyMemory;
  state: State;
  recorder(): Recorder;
}

/** `GET /metrics`: all metrics in Prometheus' text format. */
export function routeMetrics(app: App, metrics: Metrics): void {
  app.get("/metrics", async function showMetrics() {
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.text(), { headers });
  });
}

/** Reads the gauges from the parts of a balancer. */
export function metricSources({
  pool,
  gate,
  drain,
  bodies,
  state,
  recorder,
}: MetricSourcesOptions): MetricSources {
  const { scheduler } = gate;
  return {
    endpoints: () => pool.endpoints.map((endpoint) => readingOf(endpoint, gate.now())),
    hasModel: (model) => pool.serving(model).length > 0,
    active: () => drain.active,
    bodies,
    queue: () => ({ waiting: scheduler.waiting(), ...scheduler.counts }),
    history: () => ({
      pending: state.writes.pending,
      dropped: state.writes.dropped + recorder().dropped,
    }),
  };
}

function readingOf(
  { name, health, load, circuits, latency, isDraining }: Endpoint,
  nowMs: number,
): EndpointReading {
  return {
    ...{ name, status: health.status, inFlight: load.active, slots: load.slots },
    isDraining,
    ...{ circuit: circuits.state(nowMs), latencyMs: latency.stored ?? undefined },
  };
}
