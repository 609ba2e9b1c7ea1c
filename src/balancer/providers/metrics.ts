import { Counter, Histogram, Registry } from "prom-client";
import { BUCKETS_S } from "../record/series.ts";

/** How a request to a provider ended: the provider's status, or that there was none. */
export type ProviderStatus = number | "unreachable" | "cancelled";

/** Counts of requests to providers. Labels are bounded, because providers are configured. */
export class ProviderMetrics {
  readonly #registry = new Registry();
  readonly #providers: ReadonlySet<string>;
  readonly #requests: Counter<"provider" | "status">;
  readonly #latency: Histogram<"provider">;

  constructor(providers: readonly string[]) {
    this.#providers = new Set(providers);
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "cloud_requests_total",
      help: "Requests sent to clouds, by the status they answered",
      labelNames: ["provider", "status"],
      registers,
    });
    this.#latency = new Histogram({
      name: "cloud_request_latency_seconds",
      help: "Time from sending a request to a cloud to the beginning of its answer",
      labelNames: ["provider"],
      buckets: BUCKETS_S,
      registers,
    });
  }

  /** What the text is, as a `content-type`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts a request; `latencyMs` is the time to the beginning of the answer, if there was one. */
  record(provider: string, status: ProviderStatus, latencyMs?: number): void {
    if (!this.#providers.has(provider)) return;
    this.#requests.inc({ provider, status: labelOf(status) });
    if (latencyMs !== undefined) this.#latency.observe({ provider }, latencyMs / 1000);
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Adds all of it to what another registry tells. */
  addTo(registry: Registry): void {
    registry.registerMetric(this.#requests);
    registry.registerMetric(this.#latency);
  }
}

function labelOf(status: ProviderStatus): string {
  if (typeof status !== "number") return status;
  return Number.isInteger(status) && status >= 100 && status < 600 ? String(status) : "other";
}
