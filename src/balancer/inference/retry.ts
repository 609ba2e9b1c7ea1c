import type { ErrorKind } from "../../wire/error.ts";

/** Further endpoints that one request may try. */
export const RETRIES_MAX = 2;

/** How one try ended before a byte went to the client: with an answer, or without. */
export type TryOutcome = { status: number; streams: boolean } | { error: ErrorKind };

/**
 * Whether another endpoint may do better:
 *
 * | outcome                                       | another endpoint? |
 * |-----------------------------------------------|-------------------|
 * | not reached, reset, broken off (`upstream`)   | yes               |
 * | no answer in time (`timeout`)                 | yes               |
 * | 429, 502, 503: full, gone or loading          | yes               |
 * | 500 to a request for an answer in one piece   | yes               |
 * | any other answer, the client's errors too     | no, it counts     |
 * | the client went away, a bug of ours           | no                |
 */
export function mayRetry(outcome: TryOutcome): boolean {
  if ("error" in outcome) return outcome.error === "upstream" || outcome.error === "timeout";
  const { status, streams } = outcome;
  return status === 429 || status === 502 || status === 503 || (status === 500 && !streams);
}

export interface TryLimitOptions {
  /** What is left of the request's time. */
  leftMs: number;
  /** Longest wait for one endpoint while another could be tried. */
  tryTimeoutMs: number;
  /** Further tries that the request has, as far as there are endpoints for them. */
  triesLeft: number;
}

/**
 * How long one endpoint may take to begin its answer: all that is left of the request's time if no
 * other could be tried. Otherwise an even share of it, and at most the try timeout: an endpoint
 * that hangs must leave the others enough time.
 */
export function tryLimitMs({ leftMs, tryTimeoutMs, triesLeft }: TryLimitOptions): number {
  if (triesLeft === 0) return leftMs;
  return Math.min(tryTimeoutMs, leftMs / (triesLeft + 1));
}
