const ORIGIN_MS = performance.timeOrigin;

/** Unix time in milliseconds that never goes back. */
export function monotonicMs(): number {
  return ORIGIN_MS + performance.now();
}
