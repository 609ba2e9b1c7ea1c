import { eventually as waitFor } from "./cli.ts";

/** Asks `probe` until it gives a value; throws after `limitMs`. */
export function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  limitMs = 10_000,
): Promise<T> {
  return waitFor(probe, limitMs);
}

/** What `work` gives, if it does so within `limitMs`; throws otherwise. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
