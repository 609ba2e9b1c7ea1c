import type { ErrorKind } from "../../wire/error.ts";

/** Endpoints that are tried after the first one fails. */
export const RETRIES_MAX = 2;

/** How an attempt ended before its first byte went to the client: with an answer or without. */
export type AttemptOutcome = { status: number; streams: boolean } | { error: ErrorKind };

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
export function mayRetry(outcome: AttemptOutcome): boolean {
  if ("error" in outcome) return outcome.error === "upstream" || outcome.error === "timeout";
  const { status, streams } = outcome;
  return status === 429 || status === 502 || status === 503 || (status === 500 && !streams);
}

export interface AttemptLimitOptions {
  /** What is left of the request's time. */
  leftMs: number;
  /** Longest wait for one endpoint while another could be tried. */
  tryTimeoutMs: number;
  /** Further attempts, as far as there are endpoints for them. */
  attemptsLeft: number;
}

/**
 * How long one endpoint may take to begin its answer: all of the request's remaining time if no
 * other endpoint could be tried, else an even share of it and at most the try time-out, so that an
 * endpoint that hangs leaves the others enough time.
 */
export function attemptLimitMs({
  leftMs,
  tryTimeoutMs,
  attemptsLeft,
}: AttemptLimitOptions): number {
  if (attemptsLeft === 0) return leftMs;
  return Math.min(tryTimeoutMs, leftMs / (attemptsLeft + 1));
}
