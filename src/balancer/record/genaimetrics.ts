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

/** Models of all operations; after that, further ones of an operation share their histograms. */
const GROUPS_MAX = 500;
const OTHER = "other";

type Labels = Record<string, string>;

/** The histograms of one operation with one model at one provider. */
interface Group {
  readonly labels: Labels;
  readonly input: Distribution;
  readonly output: Distribution;
  readonly duration: Distribution;
  readonly firstToken: Distribution;
  readonly perToken: Distribution;
  /** Durations of requests that failed, by how. */
  readonly failed: Map<string, Distribution>;
}

/**
 * Metrics with the names, labels and bounds of OpenTelemetry's conventions for generative AI, as
 * Prometheus spells them, so that dashboards made for these work:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export class GenAiMetrics {
  /** By operation, provider and model. */
  readonly #groups = new Map<string, Group>();

  /** Counts a request that has ended; `model` is its label, bounded by the caller. */
  record(record: RequestRecord, tokens: TokenCount, model: string): void {
    const { request, upstream, durationMs, firstTokenMs } = record;
    const provider = upstream?.telemetryName ?? OWN_TELEMETRY_NAME;
    const group = this.#of(operationOf(request.route), provider, model);
    const error = errorTypeOf(record);
    const duration = error === undefined ? group.duration : failedOf(group, error);
    duration.observe(durationMs / 1000);
    // Estimates are not to be told as token counts.
    if (tokens.source === "usage") {
      const { input = null, output = null } = tokens.usage ?? {};
      if (input !== null) group.input.observe(input);
      if (output !== null) group.output.observe(output);
    }
    if (error !== undefined) return;
    if (request.streams && firstTokenMs !== null) group.firstToken.observe(firstTokenMs / 1000);
    const perToken = secondsPerToken(record, tokens);
    if (perToken !== undefined) group.perToken.observe(perToken);
  }

  get families(): MetricFamily[] {
    const family = (name: string, help: string, of: (group: Group) => Histogram[]) => ({
      ...{ name, help, type: "histogram" as const },
      samples: () =>
        [...this.#groups.values()].flatMap((group) =>
          of(group).flatMap(([labels, one]) =>
            histogramSamples(name, one, { ...group.labels, ...labels }),
          ),
        ),
    });
    return [
      family(
        "gen_ai_client_token_usage",
        "Number of input and output tokens used",
        ({ input, output }) => [
          [{ gen_ai_token_type: "input" }, input],
          [{ gen_ai_token_type: "output" }, output],
        ],
      ),
      family(
        "gen_ai_server_request_duration_seconds",
        "Generative AI server request duration, to the last byte",
        ({ duration, failed }) => [
          [{}, duration],
          ...[...failed].map(([type, one]) => [{ error_type: type }, one] as Histogram),
        ],
      ),
      family(
        "gen_ai_server_time_to_first_token_seconds",
        "Time to the first token of successful streams",
        ({ firstToken }) => [[{}, firstToken]],
      ),
      family(
        "gen_ai_server_time_per_output_token_seconds",
        "Time per output token after the first one of successful streams",
        ({ perToken }) => [[{}, perToken]],
      ),
    ];
  }

  #of(operation: string, provider: string, model: string): Group {
    const key = `${operation}\n${provider}\n${model}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= GROUPS_MAX && model !== OTHER) {
      return this.#of(operation, provider, OTHER);
    }
    const group = {
      labels: {
        gen_ai_operation_name: operation,
        gen_ai_provider_name: provider,
        gen_ai_request_model: model,
      },
      input: new Distribution(TOKENS),
      output: new Distribution(TOKENS),
      duration: new Distribution(DURATION_S),
      firstToken: new Distribution(FIRST_TOKEN_S),
      perToken: new Distribution(TOKEN_BUCKETS_S),
      failed: new Map(),
    };
    this.#groups.set(key, group);
    return group;
  }
}

/** Labels beside the group's. */
type Histogram = [labels: Labels, distribution: Distribution];

/** How many ways to fail have a label of their own, in each group. */
const ERRORS_MAX = 30;
/** What the conventions call an error without a name. */
const OTHER_ERROR = "_OTHER";

function failedOf({ failed }: Pick<Group, "failed">, error: string): Distribution {
  const known = failed.get(error);
  if (known !== undefined) return known;
  if (failed.size >= ERRORS_MAX && error !== OTHER_ERROR) {
    return failedOf({ failed }, OTHER_ERROR);
  }
  const made = new Distribution(DURATION_S);
  failed.set(error, made);
  return made;
}
