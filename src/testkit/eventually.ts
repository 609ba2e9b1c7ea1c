/** Asks `probe` until it gives a value; throws after `limitMs`. */
export async function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  limitMs = 15_000,
): Promise<T> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > endsAt) throw new Error(`nothing came within ${limitMs} ms`);
    await Bun.sleep(10);
  }
}

/** Waits until something holds; throws after `limitMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  await eventually(async () => (await holds()) || undefined, limitMs);
}

/** What `work` gives, if it does so within `limitMs`; throws otherwise. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
