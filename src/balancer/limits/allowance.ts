import type { Limits } from "../../wire/limits.ts";
import { type BucketState, TokenBucket } from "./bucket.ts";
import { nextPeriodMs, type Period, type PeriodState, periodOf } from "./period.ts";

/** What is stored of an allowance. */
export interface AllowanceState {
  requests?: BucketState;
  tokens?: BucketState;
  day?: PeriodState;
  month?: PeriodState;
}

/** Why a request is refused. */
export interface LimitRefusal {
  /** Of the limits, the one that is used up. */
  limit: Exclude<keyof Limits, "priority">;
  max: number;
  /** When it may be asked again, in ms. */
  retryMs: number;
}

/** What is left of a limit by the minute. */
export interface Remaining {
  max: number;
  left: number;
  /** Until all of it is there again, in ms. */
  resetMs: number;
}

const PERIODS = ["day", "month"] as const;
/** A request that ends gives its place back; nobody knows when. */
const RETRY_CONCURRENT_MS = 1000;

/**
 * What one key or user has used of its limits. Pure: times come with the calls. A request:
 *
 * 1. is refused if too many of them run (`concurrent_requests`)
 * 2. is refused if no request, or not its estimated tokens, are left of the minute; a request that
 *    needs more than a minute's tokens waits for a whole minute's
 * 3. is refused if the tokens or the money of the day or the month are used up; the one that uses
 *    them up is not cut
 *
 * Otherwise its estimate is taken, and at its end replaced by what it used.
 */
export class Allowance {
  #limits: Limits;
  #running = 0;
  #requests: TokenBucket | undefined;
  #tokens: TokenBucket | undefined;
  readonly #periods: Record<Period, PeriodState>;

  constructor(limits: Limits, state: AllowanceState, nowMs: number) {
    this.#limits = limits;
    this.#requests = bucketOf(limits.requests_per_minute, state.requests, nowMs);
    this.#tokens = bucketOf(limits.tokens_per_minute, state.tokens, nowMs);
    const fresh = (period: Period) => ({
      ...{ name: periodOf(period, nowMs), tokens: 0, costMicros: 0 },
    });
    this.#periods = { day: state.day ?? fresh("day"), month: state.month ?? fresh("month") };
  }

  /** The limits may have been changed; what was used stays. */
  apply(limits: Limits, nowMs: number): void {
    if (limits === this.#limits) return;
    const { requests, tokens } = this.state;
    this.#limits = limits;
    this.#requests = bucketOf(limits.requests_per_minute, requests, nowMs);
    this.#tokens = bucketOf(limits.tokens_per_minute, tokens, nowMs);
  }

  /** Why a request of about so many tokens is refused; undefined: it may go on. */
  refusal(tokens: number, nowMs: number): LimitRefusal | undefined {
    const { concurrent_requests: atOnce } = this.#limits;
    if (atOnce !== null && this.#running >= atOnce) {
      return { limit: "concurrent_requests", max: atOnce, retryMs: RETRY_CONCURRENT_MS };
    }
    return this.#minuteRefusal(tokens, nowMs) ?? this.#periodRefusal(nowMs);
  }

  /** A request begins. */
  begin(tokens: number, nowMs: number): void {
    this.#running += 1;
    this.#requests?.take(1, nowMs);
    this.#tokens?.take(tokens, nowMs);
  }

  /** It has ended; what it used is told later. */
  end(): void {
    this.#running -= 1;
  }

  /** What a request used, instead of its estimate. */
  settle(estimate: number, used: { tokens: number; costMicros: number }, nowMs: number): void {
    this.#tokens?.take(used.tokens - estimate, nowMs);
    for (const period of PERIODS) {
      const state = this.#period(period, nowMs);
      state.tokens += used.tokens;
      state.costMicros += used.costMicros;
    }
  }

  /** What is left of the requests and tokens of the minute; undefined without such a limit. */
  remaining(nowMs: number): { requests: Remaining | undefined; tokens: Remaining | undefined } {
    return {
      requests: remainingOf(this.#requests, nowMs),
      tokens: remainingOf(this.#tokens, nowMs),
    };
  }

  get running(): number {
    return this.#running;
  }

  get state(): AllowanceState {
    return {
      ...this.#periods,
      ...(this.#requests && { requests: this.#requests.state }),
      ...(this.#tokens && { tokens: this.#tokens.state }),
    };
  }

  #minuteRefusal(tokens: number, nowMs: number): LimitRefusal | undefined {
    const requestsMs = this.#requests?.msUntil(1, nowMs) ?? 0;
    const tokensMs = this.#tokens?.msUntil(Math.max(1, tokens), nowMs) ?? 0;
    if (requestsMs === 0 && tokensMs === 0) return undefined;
    return requestsMs >= tokensMs
      ? { limit: "requests_per_minute", max: this.#requests?.perMinute ?? 0, retryMs: requestsMs }
      : { limit: "tokens_per_minute", max: this.#tokens?.perMinute ?? 0, retryMs: tokensMs };
  }

  #periodRefusal(nowMs: number): LimitRefusal | undefined {
    for (const period of PERIODS) {
      const { tokens, costMicros } = this.#period(period, nowMs);
      const maxTokens = this.#limits[`tokens_per_${period}`];
      if (maxTokens !== null && tokens >= maxTokens) {
        return { limit: `tokens_per_${period}`, max: maxTokens, retryMs: untilNext(period, nowMs) };
      }
      const maxCost = this.#limits[`cost_per_${period}`];
      if (maxCost !== null && costMicros >= maxCost * 1e6) {
        return { limit: `cost_per_${period}`, max: maxCost, retryMs: untilNext(period, nowMs) };
      }
    }
    return undefined;
  }

  #period(period: Period, nowMs: number): PeriodState {
    const state = this.#periods[period];
    const name = periodOf(period, nowMs);
    if (state.name !== name) Object.assign(state, { name, tokens: 0, costMicros: 0 });
    return state;
  }
}

function untilNext(period: Period, nowMs: number): number {
  return nextPeriodMs(period, nowMs) - nowMs;
}

function bucketOf(max: number | null, state: BucketState | undefined, nowMs: number) {
  return max === null ? undefined : new TokenBucket(max, state, nowMs);
}

function remainingOf(bucket: TokenBucket | undefined, nowMs: number): Remaining | undefined {
  if (bucket === undefined) return undefined;
  const max = bucket.perMinute;
  const left = Math.max(0, Math.floor(bucket.level(nowMs)));
  return { max, left, resetMs: bucket.msUntil(max, nowMs) };
}
