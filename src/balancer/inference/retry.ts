/** Endpoints that are tried after the first one fails. */
export const RETRIES_MAX = 2;

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
