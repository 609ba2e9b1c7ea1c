/** Bounds of an exponential back-off. */
export interface BackoffOptions {
  /** Delay before the first retry. */
  firstMs: number;
  /** No delay is longer than this. */
  maxMs: number;
}

/** The delay before retry `attempt` (0-based): `firstMs`, doubled each time, at most `maxMs`. */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffOptions): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}
