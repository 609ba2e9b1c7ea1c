import { Registry } from "prom-client";
import { ApiError } from "../../wire/error.ts";
import {
  histogramSamples,
  type MetricFamily,
  type MetricSample,
  registerFamily,
} from "./family.ts";
import { addGauges, type MetricSources } from "./gauges.ts";
import { GenAiMetrics } from "./genaimetrics.ts";
import { secondsPerToken } from "./pace.ts";
import type { RequestRecord } from "./record.ts";
import {
  Distribution,
  type Series,
  type SeriesLimits,
  SeriesTable,
  STATUSES,
  type Status,
} from "./series.ts";
import type { TokenCount } from "./tokencount.ts";

export interface MetricsOptions extends SeriesLimits {
  /** Where gauges are read when the metrics are requested. */
  sources: MetricSources;
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
  readonly #genAi = new GenAiMetrics();
  /** Requests that were refused before their model was known. */
  #unreadable = 0;

  constructor({ sources, ...limits }: MetricsOptions) {
    this.#sources = sources;
    this.#table = new SeriesTable(limits);
    for (const family of this.#families()) registerFamily(this.#registry, family);
    for (const family of this.#genAi.families) registerFamily(this.#registry, family);
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
  record(record: RequestRecord, tokens: TokenCount): void {
    const { request, upstream, firstByteMs, queueMs, durationMs, attempts } = record;
    const model = this.isKnown(record) ? request.modelId : "";
    const series = this.#table.of(model, upstream?.name ?? "");
    const status = statusOf(record);
    series.count(status);
    if (attempts > 1) series.retries += attempts - 1;
    if (queueMs !== null) this.#queueWait.observe(queueMs / 1000);
    if (tokens.usage !== undefined) series.addTokens(tokens.usage);
    this.#genAi.record(record, tokens, series.labels.model);
    // Errors are fast and broken answers short: they would make times look better than they are.
    if (status !== "2xx") return;
    if (firstByteMs !== null) series.firstByte.observe(firstByteMs / 1000);
    series.total.observe(durationMs / 1000);
    const perToken = secondsPerToken(record, tokens);
    if (perToken === undefined) return;
    series.perToken.observe(perToken);
    series.pace.observe(1 / perToken);
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
      samples: () =>
        [...this.#table.all].flatMap((one) => histogramSamples(name, of(one), one.labels)),
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
      histogram(
        "llmlb_output_token_seconds",
        "Time per output token after the first one of successful streams",
        (one) => one.perToken,
      ),
      histogram(
        "llmlb_output_tokens_per_second",
        "Output tokens after the first one by the time they took, of successful streams",
        (one) => one.pace,
      ),
      {
        name: "llmlb_queue_wait_seconds",
        help: "Time that requests waited for a slot",
        type: "histogram",
        samples: () => histogramSamples("llmlb_queue_wait_seconds", this.#queueWait, {}),
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
