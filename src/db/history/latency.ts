/** Buckets of a histogram: six a decade, from a millisecond to a quarter of an hour. */
export const BUCKETS = 36;
const PER_DECADE = 6;

/** Half, 95 and 99 of a hundred took at most so long, in ms. */
export interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
}

/** The bucket of a time; those at both ends have everything beyond, too. */
export function bucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  return Math.min(BUCKETS - 1, Math.floor(Math.log10(ms) * PER_DECADE));
}

/**
 * The quantiles of what is counted in buckets; null if there is nothing. A quantile is the middle
 * of its bucket, which ends at 1.47 times its beginning: it is off by 22 % at most, within the
 * times that buckets tell apart.
 */
export function quantilesOf(counts: readonly number[]): Quantiles | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const at = (part: number) => quantile(counts, part * total);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The time that `rank` of what is counted took at most. */
function quantile(counts: readonly number[], rank: number): number {
  let sum = 0;
  const bucket = counts.findIndex((count) => {
    sum += count;
    return sum >= rank;
  });
  return rounded(10 ** ((bucket + 0.5) / PER_DECADE));
}

/** Three digits are more than is known. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}
