import type { ErrorKind } from "../../wire/error.ts";

/** Endpoints that are tried after the first one fails. */
export const RETRIES_MAX = 2;

/** What a server without a route answers, though not only that. */
export const ROUTE_MISSING = new Set([404, 405, 501]);

/** Ends at the endpoints after which an operator's rule may send a request to a provider. */
export const FALLBACK_KINDS = new Set<ErrorKind>([
  ...(["model_not_found", "no_endpoint", "rate_limited", "timeout", "upstream"] as const),
]);

export interface AttemptLimitOptions {
  /** What is left of the request's time. */
  leftMs: number;
  /** Longest wait for one endpoint while another could be tried. */
  tryTimeoutMs: number;
  /** Further attempts, as far as there are endpoints for them. */
  attemptsLeft: number;
  /** Whether the answer is a stream. */
  streams: boolean;
  /** What a load of the model will take before it; default 0. */
  loadMs?: number;
}

/** A load may take so many times as long as it is thought to. */
const LOAD_FACTOR = 2;

/**
 * How long one endpoint may take to begin its answer:
 *
 * 1. all of the request's remaining time for an answer in one piece: it begins when all of it is
 *    made, so one endpoint that is slow is not told from one that hangs, and others are as slow;
 * 2. the same for a stream if no other endpoint could be tried;
 * 3. else an even share of it and at most the try time-out, so that an endpoint that hangs leaves
 *    the others enough time. If it has to load the model first, twice the time of that load more.
 */
export function attemptLimitMs({
  leftMs,
  tryTimeoutMs,
  attemptsLeft,
  streams,
  loadMs = 0,
}: AttemptLimitOptions): number {
  if (!streams || attemptsLeft === 0) return leftMs;
  const withoutLoadMs = Math.min(tryTimeoutMs, leftMs / (attemptsLeft + 1));
  return Math.min(leftMs, withoutLoadMs + LOAD_FACTOR * loadMs);
}
