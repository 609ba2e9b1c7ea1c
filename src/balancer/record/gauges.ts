import { Counter, Gauge, type Registry } from "prom-client";
import { addProcessMetrics } from "../../http/server/processmetrics.ts";
import type { CircuitState } from "../routing/circuit.ts";

/** The state of an endpoint now. */
export interface EndpointReading {
  name: string;
  /** `pending`, `online`, `offline` … */
  status: string;
  /** Requests that this balancer sent and that are not done. */
  inFlight: number;
  /** It gets no further requests; default false. */
  isDraining?: boolean;
  /** Requests that it can work on at once; undefined if unknown. */
  slots?: number | undefined;
  circuit?: CircuitState | undefined;
  /** Moving average of its latency; undefined until it is measured. */
  latencyMs?: number | undefined;
}

/** Where gauges are read, only when the metrics are requested. */
export interface MetricSources {
  endpoints(): Iterable<EndpointReading>;
  /** Whether any endpoint lists a model. */
  hasModel(model: string): boolean;
  /** Requests whose answers are not sent completely. */
  active(): number;
  /** The memory that bodies take, requests that wait for some, and those refused so far. */
  bodies?: { readonly heldBytes: number; readonly waiting: number; readonly refused: number };
  /** Requests that wait for a slot, and those refused since the start. */
  queue?(): { waiting: number; rejected: number; timedOut: number };
  /** Rows of history that are not on disk yet, and those lost since the start. */
  history?(): { pending: number; dropped: number };
}

const ENDPOINTS_MAX = 500;
const STATUSES = ["pending", "online", "offline", "error"] as const;
const CIRCUIT_VALUES: Record<CircuitState, number> = {
  closed: 0,
  half_open: 0.5,
  probing: 0.5,
  open: 1,
};

/** Adds the gauges, and counters that are kept elsewhere. */
export function addGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  gauge("llmlb_requests_active", "Requests that are not answered yet", () => sources.active());
  addEndpointGauges(registry, sources);
  const { queue, history, bodies } = sources;
  if (bodies !== undefined) {
    gauge("llmlb_bodies_bytes", "Memory that request bodies take", () => bodies.heldBytes);
    gauge("llmlb_bodies_waiting", "Requests that wait for memory", () => bodies.waiting);
    total("llmlb_bodies_refused_total", "Requests without memory", () => bodies.refused);
  }
  if (queue !== undefined) {
    gauge("llmlb_queue_waiting", "Requests that wait for a slot", () => queue().waiting);
    total("llmlb_queue_rejected_total", "Requests refused by a full queue", () => queue().rejected);
    total("llmlb_queue_timeouts_total", "Requests that waited too long", () => queue().timedOut);
  }
  if (history !== undefined) {
    gauge("llmlb_history_pending", "Rows not on disk yet", () => history().pending);
    total("llmlb_history_dropped_total", "Rows lost", () => history().dropped);
  }
  addProcessMetrics(registry);
}

function addEndpointGauges(registry: Registry, { endpoints }: MetricSources): void {
  const each = (
    [name, help, ...more]: [name: string, help: string, ...labels: string[]],
    set: (gauge: Gauge, endpoint: EndpointReading) => void,
  ) => {
    const labelNames = ["endpoint", ...more];
    new Gauge({
      ...{ name, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        let shown = 0;
        for (const endpoint of endpoints()) {
          if (shown === ENDPOINTS_MAX) return;
          shown += 1;
          set(this, endpoint);
        }
      },
    });
  };
  each(["llmlb_endpoint_status", "1 for the status it has", "status"], (gauge, one) => {
    for (const status of STATUSES) {
      gauge.set({ endpoint: one.name, status }, status === one.status ? 1 : 0);
    }
  });
  each(["llmlb_endpoint_draining", "1 if it gets no further requests"], (gauge, one) =>
    gauge.set({ endpoint: one.name }, one.isDraining === true ? 1 : 0),
  );
  each(["llmlb_endpoint_active", "Requests it works on for us"], (gauge, one) =>
    gauge.set({ endpoint: one.name }, one.inFlight),
  );
  each(["llmlb_endpoint_slots", "Requests it can work on at once"], (gauge, one) => {
    if (one.slots !== undefined) gauge.set({ endpoint: one.name }, one.slots);
  });
  each(["llmlb_endpoint_latency_seconds", "Moving average to the first byte"], (gauge, one) => {
    if (one.latencyMs !== undefined) gauge.set({ endpoint: one.name }, one.latencyMs / 1000);
  });
  each(["llmlb_endpoint_circuit", "0 closed, 0.5 tried again, 1 open"], (gauge, one) => {
    if (one.circuit !== undefined) gauge.set({ endpoint: one.name }, CIRCUIT_VALUES[one.circuit]);
  });
}
