import type { TokenUsage } from "./usage.ts";

/** How requests end, as the label `status` of the metrics tells it. */
export const STATUSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "broken", "cancelled"] as const;
export type Status = (typeof STATUSES)[number];

/** Upper bounds in seconds: a token of a small model up to a long answer of a large one. */
export const BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Counted observations, as a histogram of Prometheus. */
export class Distribution {
  /** Per bucket and not added up; the last is for what is above all bounds. */
  readonly counts = new Float64Array(BUCKETS_S.length + 1);
  sum = 0;
  count = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS_S.length && seconds > (BUCKETS_S[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += seconds;
    this.count += 1;
  }
}

/** What is counted of the requests for one model at one endpoint. */
export class Series {
  readonly labels: { model: string; endpoint: string };
  readonly requests = new Float64Array(STATUSES.length);
  readonly firstByte = new Distribution();
  readonly total = new Distribution();
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

  tokens(usage: TokenUsage): void {
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
  /** Pairs of the two. Default: 1000; beyond, an endpoint's further models are one. */
  pairsMax?: number;
}

/** The label of what came too late to have its own. */
const OTHER = "other";
const LABEL_CHARS_MAX = 200;

/** The series of all pairs of models and endpoints: a bounded number, first come, first served. */
export class SeriesTable {
  readonly #limits: Required<SeriesLimits>;
  /** By endpoint, then by model, as they are called by whoever counts; a bounded number, too. */
  readonly #known = new Map<string, Map<string, Series>>();
  /** By labels. */
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
    return this.#known.get(endpoint)?.get(model) ?? this.#resolve(model, endpoint);
  }

  #resolve(model: string, endpoint: string): Series {
    const { modelsMax, endpointsMax, pairsMax } = this.#limits;
    const endpointLabel = admitted(this.#endpoints, endpoint, endpointsMax);
    const modelLabel = admitted(this.#models, model, modelsMax);
    const own = this.#find(modelLabel, endpointLabel);
    // Not remembered: what has no label of its own can be without number.
    if (own === undefined && this.#series.size >= pairsMax) {
      return this.#find(OTHER, endpointLabel) ?? this.#add(OTHER, endpointLabel);
    }
    const series = own ?? this.#add(modelLabel, endpointLabel);
    if (modelLabel !== OTHER && endpointLabel !== OTHER) {
      const models = this.#known.get(endpoint) ?? new Map<string, Series>();
      models.set(model, series);
      this.#known.set(endpoint, models);
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

/** The label of a name: itself if there is room for it. */
function admitted(names: Set<string>, name: string, max: number): string {
  const label = name.slice(0, LABEL_CHARS_MAX);
  if (names.has(label)) return label;
  if (names.size >= max) return OTHER;
  names.add(label);
  return label;
}
