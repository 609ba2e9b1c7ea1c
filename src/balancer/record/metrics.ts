import { Registry } from "prom-client";
import { ApiError } from "../../wire/error.ts";
import { addGauges, type MetricSources } from "./gauges.ts";
import type { RequestRecord } from "./record.ts";
import {
  BUCKETS_S,
  Distribution,
  type Series,
  type SeriesLimits,
  SeriesTable,
  STATUSES,
  type Status,
} from "./series.ts";
import type { TokenUsage } from "./usage.ts";

export interface MetricsOptions extends SeriesLimits {
  /** Where gauges are read when the metrics are requested. */
  sources: MetricSources;
}

/** A line of a metric, as prom-client writes it. */
interface MetricSample {
  metricName?: string;
  labels: Record<string, string | number>;
  /** Written before `labels`. prom-client caches their text by object. */
  sharedLabels?: object;
  value: number;
}

/** A metric whose samples are made when the text is written. */
interface MetricFamily {
  name: string;
  help: string;
  type: "counter" | "histogram";
  samples(): Iterable<MetricSample>;
}

/**
 * The metrics of `/metrics`. Counting a request changes a few numbers; the text is made when it is
 * requested. The number of labels is bounded: a model that no endpoint lists never becomes one.
 */
export class Metrics {
  readonly #sources: MetricSources;
  readonly #table: SeriesTable;
  readonly #registry = new Registry();
  readonly #queueWait = new Distribution();
  /** Requests that were refused before their model was known. */
  #unreadable = 0;

  constructor({ sources, ...limits }: MetricsOptions) {
    this.#sources = sources;
    this.#table = new SeriesTable(limits);
    for (const family of this.#families()) register(this.#registry, family);
    addGauges(this.#registry, sources);
  }

  /** The `content-type` of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds metrics that are counted elsewhere, with names of their own. */
  include(others: { addTo(registry: Registry): void }): void {
    others.addTo(this.#registry);
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts a request that has ended. */
  record(record: RequestRecord, usage: TokenUsage | undefined): void {
    const { request, upstream, firstByteMs, queueMs, durationMs, attempts } = record;
    const series = this.#table.of(
      this.isKnown(record) ? request.modelId : "",
      upstream?.name ?? "",
    );
    const status = statusOf(record);
    series.count(status);
    if (attempts > 1) series.retries += attempts - 1;
    if (queueMs !== null) this.#queueWait.observe(queueMs / 1000);
    if (usage !== undefined) series.addTokens(usage);
    // Errors are fast and broken answers short: they would make times look better than they are.
    if (status !== "2xx") return;
    if (firstByteMs !== null) series.firstByte.observe(firstByteMs / 1000);
    series.total.observe(durationMs / 1000);
  }

  /**
   * Whether the model of a request exists: an endpoint lists it, or an upstream did not answer 404.
   * Clients choose the names, so that counts by name must not grow with unknown ones.
   */
  isKnown({ request, upstream, status }: RequestRecord): boolean {
    return (upstream !== undefined && status !== 404) || this.#sources.hasModel(request.modelId);
  }

  /** Counts a request that was refused before its model was known. */
  countUnreadable(error: unknown): void {
    if (error instanceof ApiError && error.kind === "client_closed") return;
    this.#unreadable += 1;
  }

  #families(): MetricFamily[] {
    const counter = (
      name: string,
      help: string,
      read: (series: Series) => number,
    ): MetricFamily => ({
      ...{ name, help, type: "counter" },
      samples: () => this.#map((one) => ({ labels: one.labels, value: read(one) })),
    });
    const histogram = (
      name: string,
      help: string,
      of: (series: Series) => Distribution,
    ): MetricFamily => ({
      ...{ name, help, type: "histogram" },
      samples: () => [...this.#table.all].flatMap((one) => buckets(name, of(one), one.labels)),
    });
    return [
      {
        name: "llmlb_requests_total",
        help: "Inference requests that ended, by status of the answer; broken: it broke off",
        type: "counter",
        samples: () => [...this.#table.all].flatMap(requestSamples),
      },
      {
        name: "llmlb_requests_unreadable_total",
        help: "Inference requests refused before their model was known",
        type: "counter",
        samples: () => [{ labels: {}, value: this.#unreadable }],
      },
      counter("llmlb_retries_total", "Tries at other endpoints before", (one) => one.retries),
      counter("llmlb_input_tokens_total", "Tokens of prompts", (one) => one.inputTokens),
      counter("llmlb_output_tokens_total", "Tokens of answers", (one) => one.outputTokens),
      counter(
        "llmlb_cached_tokens_total",
        "Tokens of prompts that the endpoint had cached",
        (one) => one.cachedTokens,
      ),
      histogram(
        "llmlb_first_byte_seconds",
        "Time from a request's arrival to the first byte of its successful answer",
        (one) => one.firstByte,
      ),
      histogram(
        "llmlb_request_seconds",
        "Time from a request's arrival to the last byte of its successful answer",
        (one) => one.total,
      ),
      {
        name: "llmlb_queue_wait_seconds",
        help: "Time that requests waited for a slot",
        type: "histogram",
        samples: () => buckets("llmlb_queue_wait_seconds", this.#queueWait, {}),
      },
    ];
  }

  #map<T>(map: (series: Series) => T): T[] {
    return Array.from(this.#table.all, map);
  }
}

function statusOf({ outcome, status }: RequestRecord): Status {
  if (outcome === "cancelled") return "cancelled";
  if (outcome === "failed") return "broken";
  return STATUSES[Math.floor((status ?? 500) / 100) - 1] ?? "5xx";
}

function requestSamples(series: Series): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const [place, status] of STATUSES.entries()) {
    const value = series.requests[place] ?? 0;
    if (value > 0) samples.push({ sharedLabels: series.labels, labels: { status }, value });
  }
  return samples;
}

function buckets(name: string, distribution: Distribution, sharedLabels: object): MetricSample[] {
  const { counts, sum, count } = distribution;
  if (count === 0 && Object.keys(sharedLabels).length > 0) return [];
  let below = 0;
  const samples: MetricSample[] = BUCKETS_S.map((le, bucket) => {
    below += counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, sharedLabels, labels: { le }, value: below };
  });
  samples.push({
    metricName: `${name}_bucket`,
    sharedLabels,
    labels: { le: "+Inf" },
    value: count,
  });
  samples.push({ metricName: `${name}_sum`, sharedLabels, labels: {}, value: sum });
  samples.push({ metricName: `${name}_count`, sharedLabels, labels: {}, value: count });
  return samples;
}

/** Not prom-client's own counters: they look labels up by their text at every request. */
function register(registry: Registry, { name, help, type, samples }: MetricFamily): void {
  const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}
