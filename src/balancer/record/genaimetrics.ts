import { histogramSamples, type MetricFamily } from "./family.ts";
import { errorTypeOf, OWN_TELEMETRY_NAME, operationOf } from "./genai.ts";
import { secondsPerToken } from "./pace.ts";
import type { RequestRecord } from "./record.ts";
import { Distribution, TOKEN_BUCKETS_S } from "./series.ts";
import type { TokenCount } from "./tokencount.ts";

/** The bounds that the conventions give. */
const TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power);
const DURATION_S = Array.from({ length: 14 }, (_, power) => 2 ** power / 100);
const FIRST_TOKEN_S = [
  ...[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75],
  ...[1, 2.5, 5, 7.5, 10],
];

/** Histograms of one metric; after that, further models share one for each operation. */
const HISTOGRAMS_MAX = 500;
const OTHER = "other";

type Labels = Record<string, string>;

/**
 * Metrics with the names, labels and bounds of OpenTelemetry's conventions for generative AI, as
 * Prometheus spells them, so that dashboards made for these work:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export class GenAiMetrics {
  readonly #tokens = new Histograms(
    "gen_ai_client_token_usage",
    "Number of input and output tokens used",
    TOKENS,
  );
  readonly #duration = new Histograms(
    "gen_ai_server_request_duration_seconds",
    "Generative AI server request duration, to the last byte",
    DURATION_S,
  );
  readonly #firstToken = new Histograms(
    "gen_ai_server_time_to_first_token_seconds",
    "Time to the first token of successful streams",
    FIRST_TOKEN_S,
  );
  readonly #perToken = new Histograms(
    "gen_ai_server_time_per_output_token_seconds",
    "Time per output token after the first one of successful streams",
    TOKEN_BUCKETS_S,
  );

  /** Counts a request that has ended; `model` is its label, bounded by the caller. */
  record(record: RequestRecord, tokens: TokenCount, model: string): void {
    const { request, upstream, durationMs, firstTokenMs } = record;
    const labels: Labels = {
      gen_ai_operation_name: operationOf(request.route),
      gen_ai_provider_name: upstream?.telemetryName ?? OWN_TELEMETRY_NAME,
      gen_ai_request_model: model,
    };
    const error = errorTypeOf(record);
    this.#duration.observe(
      error === undefined ? labels : { ...labels, error_type: error },
      durationMs / 1000,
    );
    // Estimates are not to be told as token counts.
    if (tokens.source === "usage") {
      const { input = null, output = null } = tokens.usage ?? {};
      if (input !== null) this.#tokens.observe({ ...labels, gen_ai_token_type: "input" }, input);
      if (output !== null) this.#tokens.observe({ ...labels, gen_ai_token_type: "output" }, output);
    }
    if (error !== undefined) return;
    if (request.streams && firstTokenMs !== null) {
      this.#firstToken.observe(labels, firstTokenMs / 1000);
    }
    const perToken = secondsPerToken(record, tokens);
    if (perToken !== undefined) this.#perToken.observe(labels, perToken);
  }

  get families(): MetricFamily[] {
    return [this.#tokens, this.#duration, this.#firstToken, this.#perToken];
  }
}

/** The histograms of a metric by their labels. */
class Histograms implements MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly #bounds: readonly number[];
  readonly #byText = new Map<string, { labels: Labels; distribution: Distribution }>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.samples = this.samples.bind(this);
  }

  observe(labels: Labels, value: number): void {
    this.#of(labels).observe(value);
  }

  samples() {
    return [...this.#byText.values()].flatMap(({ labels, distribution }) =>
      histogramSamples(this.name, distribution, labels),
    );
  }

  #of(labels: Labels): Distribution {
    const text = Object.values(labels).join("\n");
    const known = this.#byText.get(text);
    if (known !== undefined) return known.distribution;
    const isFull = this.#byText.size >= HISTOGRAMS_MAX;
    if (isFull && labels.gen_ai_request_model !== OTHER) {
      return this.#of({ ...labels, gen_ai_request_model: OTHER });
    }
    const distribution = new Distribution(this.#bounds);
    this.#byText.set(text, { labels, distribution });
    return distribution;
  }
}
