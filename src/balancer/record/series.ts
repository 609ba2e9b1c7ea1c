import type { TokenUsage } from "./usage.ts";

/** The values of the label `status`: how requests end. */
export const STATUSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "broken", "cancelled"] as const;
export type Status = (typeof STATUSES)[number];

/** Upper bounds in seconds: from one token of a small model to a long answer of a large one. */
export const BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Of tokens per second: from a large model in main memory to a small one on a fast GPU. */
const PACE_BUCKETS = [1, 2.5, 5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 1000];

/** Of seconds per token, as OpenTelemetry's conventions give them. */
export const TOKEN_BUCKETS_S = [
  ...[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
] as const;

/** A histogram of Prometheus. */
export class Distribution {
  /** Upper bounds of all buckets but the last. */
  readonly bounds: readonly number[];
  /** Per bucket, not cumulative; the last one is above all bounds. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[] = BUCKETS_S) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}

/** The counts of the requests for one model at one endpoint. */
export class Series {
  readonly labels: { model: string; endpoint: string };
  readonly requests = new Float64Array(STATUSES.length);
  readonly firstByte = new Distribution();
  readonly total = new Distribution();
  readonly perToken = new Distribution(TOKEN_BUCKETS_S);
  readonly pace = new Distribution(PACE_BUCKETS);
  inputTokens = 0;
  outputTokens = 0;
  cachedTokens = 0;
  retries = 0;

  constructor(model: string, endpoint: string) {
    this.labels = { model, endpoint };
  }

  count(status: Status): void {
    const place = STATUSES.indexOf(status);
    this.requests[place] = (this.requests[place] ?? 0) + 1;
  }

  addTokens(usage: TokenUsage): void {
    this.inputTokens += usage.input ?? 0;
    this.outputTokens += usage.output ?? 0;
    this.cachedTokens += usage.cached ?? 0;
  }
}

export interface SeriesLimits {
  /** Models with a label of their own. Default: 200. */
  modelsMax?: number;
  /** Endpoints with a label of their own. Default: 500. */
  endpointsMax?: number;
  /** Series. Default: 1000; after that, an endpoint's further models share one. */
  pairsMax?: number;
}

/** The label of names that are beyond a limit. */
const OTHER = "other";
const LABEL_CHARS_MAX = 200;

/** The series of all pairs of model and endpoint. Their number is limited; the first ones stay. */
export class SeriesTable {
  readonly #limits: Required<SeriesLimits>;
  /** The series with labels of their own, by the full names of endpoint and model; limited, too. */
  readonly #byName = new Map<string, Map<string, Series>>();
  /** All series, by their labels. */
  readonly #series = new Map<string, Series>();
  readonly #models = new Set<string>();
  readonly #endpoints = new Set<string>();

  constructor({ modelsMax = 200, endpointsMax = 500, pairsMax = 1000 }: SeriesLimits = {}) {
    this.#limits = { modelsMax, endpointsMax, pairsMax };
  }

  get all(): Iterable<Series> {
    return this.#series.values();
  }

  /** The series that counts for a model at an endpoint. */
  of(model: string, endpoint: string): Series {
    return this.#byName.get(endpoint)?.get(model) ?? this.#resolve(model, endpoint);
  }

  #resolve(model: string, endpoint: string): Series {
    const { modelsMax, endpointsMax, pairsMax } = this.#limits;
    const endpointLabel = labelOf(this.#endpoints, endpoint, endpointsMax);
    const modelLabel = labelOf(this.#models, model, modelsMax);
    const own = this.#find(modelLabel, endpointLabel);
    // Not kept in `#byName`: the number of such names has no limit.
    if (own === undefined && this.#series.size >= pairsMax) {
      return this.#find(OTHER, endpointLabel) ?? this.#add(OTHER, endpointLabel);
    }
    const series = own ?? this.#add(modelLabel, endpointLabel);
    if (modelLabel !== OTHER && endpointLabel !== OTHER) {
      const models = this.#byName.get(endpoint) ?? new Map<string, Series>();
      models.set(model, series);
      this.#byName.set(endpoint, models);
    }
    return series;
  }

  #find(model: string, endpoint: string): Series | undefined {
    return this.#series.get(`${model}\n${endpoint}`);
  }

  #add(model: string, endpoint: string): Series {
    const series = new Series(model, endpoint);
    this.#series.set(`${model}\n${endpoint}`, series);
    return series;
  }
}

/** The label of a name: the name itself, or `other` if there are `max` labels already. */
function labelOf(names: Set<string>, name: string, max: number): string {
  const label = name.slice(0, LABEL_CHARS_MAX);
  if (names.has(label)) return label;
  if (names.size >= max) return OTHER;
  names.add(label);
  return label;
}
