import type { CircuitOptions } from "../balancer/routing/circuit.ts";
import { Circuits } from "../balancer/routing/circuits.ts";
import { Latency } from "../balancer/routing/latency.ts";
import { Load } from "../balancer/routing/load.ts";
import type { ModelWarmthReport } from "../balancer/routing/modelwarmth.ts";
import type { Routable } from "../balancer/routing/slotrequest.ts";
import { Warmth } from "../balancer/routing/warmth.ts";

/** An endpoint for tests of routing. Default: online, measured 100 ms at time 0. */
export class TestEndpoint implements Routable {
  readonly name: string;
  readonly health: { status: string };
  isDraining = false;
  readonly load: Load;
  readonly latency = new Latency();
  readonly circuits: Circuits;
  readonly served: Set<string>;
  readonly warmth = new Warmth();

  constructor(options: TestEndpointOptions = {}) {
    this.name = options.name ?? "endpoint";
    this.health = { status: options.status ?? "online" };
    this.load = new Load(options.slots ?? 8);
    this.load.active = options.active ?? 0;
    this.circuits = new Circuits(options.circuit);
    this.served = new Set(options.models ?? ["m"]);
    const { latencyMs = 100 } = options;
    const { warmth, freeBytes } = options;
    if (warmth !== undefined) this.tell(warmth, freeBytes);
    if (latencyMs !== null) this.latency.record(latencyMs, options.sampledAtMs ?? 0);
  }

  /** It tells what it has loaded; models that it does not name are cold. */
  tell(models: Record<string, ModelWarmthReport>, freeBytes?: number, nowMs = 0): void {
    const report = { models: new Map(Object.entries(models)), freeBytes };
    this.warmth.apply(report, { askedAtMs: nowMs, nowMs });
  }
}

export interface TestEndpointOptions {
  name?: string;
  status?: string;
  slots?: number;
  active?: number;
  /** Null for one that was never measured. */
  latencyMs?: number | null;
  sampledAtMs?: number;
  models?: string[];
  circuit?: CircuitOptions;
  /** What it tells of its models' warmth; default: it does not tell. */
  warmth?: Record<string, ModelWarmthReport>;
  freeBytes?: number;
}
