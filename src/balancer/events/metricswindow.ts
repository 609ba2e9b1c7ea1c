import type { MetricsPoint } from "../../wire/event.ts";

/** What the metrics need of a request that has ended. */
export interface EndedSample {
  /** It failed, but not because its client left. */
  isError: boolean;
  /** It is a stream that broke and went on elsewhere. */
  isContinued: boolean;
  outputTokens: number;
  /** Of a stream; null for other answers. */
  firstTokenMs: number | null;
  durationMs: number;
}

/** A span of time; its number is unix seconds by its length. */
interface Span {
  number: number;
  requests: number;
  errors: number;
  continued: number;
  tokens: number;
  /** How many streams began within each limit of `LIMITS_MS`, but not within the one before. */
  firstTokens: Uint16Array;
}

/** Each is a fifth more than the one before, from 1 ms to about 10 minutes. */
const LIMITS_MS = Array.from({ length: 74 }, (_, i) => 1.2 ** i);
const COUNT_MAX = 0xffff;

/**
 * Counts of the last `spans` spans of `spanS` seconds: a ring, so that its size never changes and
 * nothing needs to be done while nothing happens.
 */
export class MetricsWindow {
  readonly #spanS: number;
  readonly #ring: Span[];

  constructor({ spanS, spans }: { spanS: number; spans: number }) {
    this.#spanS = spanS;
    this.#ring = Array.from({ length: spans }, () => emptySpan());
  }

  /** Counts a request that ended at `nowMs`; its tokens in the spans in which they came. */
  count(sample: EndedSample, nowMs: number): void {
    const { isError, isContinued, outputTokens, firstTokenMs, durationMs } = sample;
    const span = this.#spanAt(this.#numberAt(nowMs));
    span.requests += 1;
    if (isError) span.errors += 1;
    if (isContinued) span.continued += 1;
    if (firstTokenMs !== null) {
      const found = LIMITS_MS.findIndex((limit) => firstTokenMs <= limit);
      const place = found < 0 ? LIMITS_MS.length - 1 : found;
      span.firstTokens[place] = Math.min(COUNT_MAX, (span.firstTokens[place] ?? 0) + 1);
    }
    if (outputTokens > 0) this.#spread(outputTokens, durationMs - (firstTokenMs ?? 0), nowMs);
  }

  /** The whole of the last `spans` spans that are over, or are about to be, as one. */
  last(spans: number, nowMs: number): MetricsPoint {
    const end = this.#numberAt(nowMs);
    const chosen = this.#since(end - spans + 1, end);
    return this.#point(chosen, (end - spans + 1) * this.#spanS, spans * this.#spanS);
  }

  /** Every span in which something happened, oldest first; the last one is not over yet. */
  points(nowMs: number): MetricsPoint[] {
    const end = this.#numberAt(nowMs);
    const spans = this.#since(end - this.#ring.length + 1, end);
    return spans
      .sort((a, b) => a.number - b.number)
      .map((span) => this.#point([span], span.number * this.#spanS, this.#spanS));
  }

  #numberAt(ms: number): number {
    return Math.floor(ms / 1000 / this.#spanS);
  }

  /** What is counted in a span that is no longer in the ring is forgotten. */
  #spanAt(number: number): Span {
    const place = number % this.#ring.length;
    let span = this.#ring[place] ?? emptySpan();
    if (span.number > number) return emptySpan();
    if (span.number !== number) span = { ...emptySpan(), number };
    this.#ring[place] = span;
    return span;
  }

  #spread(tokens: number, overMs: number, nowMs: number): void {
    const last = this.#numberAt(nowMs);
    const oldest = last - this.#ring.length + 1;
    const first = Math.max(oldest, this.#numberAt(nowMs - Math.max(0, overMs)));
    const share = tokens / (last - first + 1);
    for (let number = first; number <= last; number += 1) this.#spanAt(number).tokens += share;
  }

  #since(from: number, to: number): Span[] {
    return this.#ring.filter(({ number }) => number >= from && number <= to);
  }

  #point(spans: readonly Span[], fromS: number, lengthS: number): MetricsPoint {
    const sum = (of: (span: Span) => number) => spans.reduce((total, one) => total + of(one), 0);
    const rate = (value: number) => Math.round((10_000 * value) / lengthS) / 10_000;
    const first = LIMITS_MS.map((_, i) => sum(({ firstTokens }) => firstTokens[i] ?? 0));
    return {
      at: new Date(fromS * 1000).toISOString(),
      requests_per_s: rate(sum(({ requests }) => requests)),
      tokens_per_s: rate(sum(({ tokens }) => tokens)),
      errors_per_s: rate(sum(({ errors }) => errors)),
      continued_per_s: rate(sum(({ continued }) => continued)),
      first_token_p50_ms: quantile(first, 0.5),
      first_token_p95_ms: quantile(first, 0.95),
    };
  }
}

function emptySpan(): Span {
  const firstTokens = new Uint16Array(LIMITS_MS.length);
  return { number: -1, requests: 0, errors: 0, continued: 0, tokens: 0, firstTokens };
}

/** The limit within which a share of what is counted lies; null if nothing is. */
function quantile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, one) => sum + one, 0);
  if (total === 0) return null;
  let seen = 0;
  const place = counts.findIndex((count) => {
    seen += count;
    return seen >= share * total;
  });
  return Math.round(10 * (LIMITS_MS[place] ?? 0)) / 10;
}
