import { Registry } from "prom-client";
import { ApiError } from "../../wire/error.ts";
import { addGauges, type Sources } from "./gauges.ts";
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
  /** What is read when somebody asks for the metrics. */
  sources: Sources;
}

/** A line of a metric, as prom-client writes it. */
interface Sample {
  metricName?: string;
  labels: Record<string, string | number>;
  /** Written before `labels`; prom-client remembers their text by object. */
  sharedLabels?: object;
  value: number;
}

/** A metric as prom-client needs it: it asks for `get()` when it writes the text. */
interface Family {
  name: string;
  help: string;
  type: "counter" | "histogram";
  samples(): Iterable<Sample>;
}

/**
 * What `/metrics` tells. Requests are counted in plain numbers, a few per request, and become
 * text when somebody asks. Labels are bounded: names that no endpoint lists never become one.
 */
export class Metrics {
  readonly #sources: Sources;
  readonly #table: SeriesTable;
  readonly #registry = new Registry();
  readonly #queueWait = new Distribution();
  /** Requests that were refused before their model was known. */
  #unread = 0;

  constructor({ sources, ...limits }: MetricsOptions) {
    this.#sources = sources;
    this.#table = new SeriesTable(limits);
    for (const family of this.#families()) register(this.#registry, family);
    addGauges(this.#registry, sources);
  }

  /** What the text is, as a `content-type`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Tells what others count as well, under names of their own. */
  include(others: { addTo(registry: Registry): void }): void {
    others.addTo(this.#registry);
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts a request that has ended. */
  record(entry: RequestRecord, usage: TokenUsage | undefined): void {
    const { request, upstream, firstByteMs, queueMs, durationMs, tries } = entry;
    const series = this.#table.of(this.knows(entry) ? request.modelId : "", upstream?.name ?? "");
    const status = statusOf(entry);
    series.count(status);
    if (tries > 1) series.retries += tries - 1;
    if (queueMs !== null) this.#queueWait.observe(queueMs / 1000);
    if (usage !== undefined) series.tokens(usage);
    // Errors are quick, and broken or left answers are short: they would flatter.
    if (status !== "2xx") return;
    if (firstByteMs !== null) series.firstByte.observe(firstByteMs / 1000);
    series.total.observe(durationMs / 1000);
  }

  /**
   * Whether the model of a request is one that there is: an endpoint lists it, or took it for one
   * of its own. Names come from clients, and whatever counts by them must not grow with them.
   */
  knows({ request, upstream, status }: RequestRecord): boolean {
    return (upstream !== undefined && status !== 404) || this.#sources.hasModel(request.modelId);
  }

  /** Counts a request that was refused before its model was known. */
  unread(error: unknown): void {
    if (error instanceof ApiError && error.kind === "client_closed") return;
    this.#unread += 1;
  }

  #families(): Family[] {
    const counter = (name: string, help: string, read: (series: Series) => number): Family => ({
      ...{ name, help, type: "counter" },
      samples: () => this.#map((one) => ({ labels: one.labels, value: read(one) })),
    });
    const histogram = (
      name: string,
      help: string,
      of: (series: Series) => Distribution,
    ): Family => ({
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
        samples: () => [{ labels: {}, value: this.#unread }],
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

function statusOf({ ending, status }: RequestRecord): Status {
  if (ending === "cancelled") return "cancelled";
  if (ending === "failed") return "broken";
  return STATUSES[Math.floor((status ?? 500) / 100) - 1] ?? "5xx";
}

function requestSamples(series: Series): Sample[] {
  const samples: Sample[] = [];
  for (const [place, status] of STATUSES.entries()) {
    const value = series.requests[place] ?? 0;
    if (value > 0) samples.push({ sharedLabels: series.labels, labels: { status }, value });
  }
  return samples;
}

function buckets(name: string, distribution: Distribution, sharedLabels: object): Sample[] {
  const { counts, sum, count } = distribution;
  if (count === 0 && Object.keys(sharedLabels).length > 0) return [];
  let below = 0;
  const samples: Sample[] = BUCKETS_S.map((le, bucket) => {
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

/** prom-client's own counters look up their labels by text at every request; ours do not. */
function register(registry: Registry, { name, help, type, samples }: Family): void {
  const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}
