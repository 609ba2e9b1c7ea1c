import { dayOf } from "./day.ts";
import { BUCKETS, bucketOf } from "./latency.ts";
import type { NewRequestRow } from "./records.ts";

const HOUR_MS = 3_600_000;

/** The sum over requests that are alike. */
interface Sum {
  hour: number;
  day: string;
  /** Endpoint, model, key, user, type. */
  keys: string[];
  requests: number;
  succeeded: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  durationMs: number;
  costMicros: number;
  /** Of successful requests only: errors are quick, and would flatter. */
  firstByte: number[];
  duration: number[];
}

/** What a batch of requests adds to the statistics: requests that are alike make one row. */
export class UsageSums {
  /** By all of their keys, joined. */
  readonly #sums = new Map<string, Sum>();
  /** The last hour that was computed, and its day: most requests share it. */
  #hour = Number.NEGATIVE_INFINITY;
  #day = "";

  /** Adds a request; it may be neither a success nor a failure. */
  add(request: NewRequestRow, failed: boolean): void {
    const sum = this.#sumOf(request);
    sum.requests += 1;
    sum.succeeded += +request.succeeded;
    sum.failed += +failed;
    sum.inputTokens += request.inputTokens ?? 0;
    sum.outputTokens += request.outputTokens ?? 0;
    sum.cachedTokens += request.cachedTokens ?? 0;
    sum.durationMs += request.durationMs;
    sum.costMicros += request.costMicros ?? 0;
    if (!request.succeeded) return;
    count(sum.duration, request.durationMs);
    if (typeof request.firstByteMs === "number") count(sum.firstByte, request.firstByteMs);
  }

  /** The parameters of the statement `usageHours`. */
  get hours(): unknown[][] {
    return Array.from(this.#sums.values(), (sum) => [sum.hour, ...numbersOf(sum)]);
  }

  /** The parameters of the statement `usageDays`. */
  get days(): unknown[][] {
    return Array.from(this.#sums.values(), (sum) => [sum.day, ...numbersOf(sum)]);
  }

  /**
   * Clients choose the names of models, and usage is never pruned. So a request has no model here
   * if no such model exists, or if it was refused with a 4xx status, except 429, before any
   * endpoint saw it.
   */
  #sumOf(request: NewRequestRow): Sum {
    const { endpointId, httpStatus, apiKeyId, userId, requestType, startedAt } = request;
    const status = httpStatus ?? 0;
    const isClientError = endpointId == null && status >= 400 && status < 500 && status !== 429;
    const model = isClientError || request.modelKnown === false ? "" : request.model;
    this.#turnTo(startedAt);
    const keys = [endpointId ?? "", model, apiKeyId ?? "", userId ?? "", requestType];
    const key = `${this.#hour}\n${keys.join("\n")}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      sum = emptySum(this.#hour, this.#day, keys);
      this.#sums.set(key, sum);
    }
    return sum;
  }

  /** Hours begin as clocks on the wall say, which may be half an hour beside those of UTC. */
  #turnTo(time: number): void {
    if (time >= this.#hour && time < this.#hour + HOUR_MS) return;
    this.#hour = new Date(time).setMinutes(0, 0, 0);
    this.#day = dayOf(time);
  }
}

function emptySum(hour: number, day: string, keys: string[]): Sum {
  return {
    ...{ hour, day, keys, requests: 0, succeeded: 0, failed: 0 },
    ...{ inputTokens: 0, outputTokens: 0, cachedTokens: 0, durationMs: 0, costMicros: 0 },
    firstByte: new Array<number>(BUCKETS).fill(0),
    duration: new Array<number>(BUCKETS).fill(0),
  };
}

function count(histogram: number[], ms: number): void {
  const bucket = bucketOf(ms);
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
}

function numbersOf(sum: Sum): unknown[] {
  return [
    ...sum.keys,
    ...[sum.requests, sum.succeeded, sum.failed, sum.inputTokens, sum.outputTokens],
    ...[sum.cachedTokens, sum.durationMs, sum.costMicros],
    ...sum.firstByte,
    ...sum.duration,
  ];
}
