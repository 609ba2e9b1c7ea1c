import { expect, test } from "bun:test";
import { BUCKETS, bucketOf, quantilesOf } from "./latency.ts";

function histogram(times: number[]): number[] {
  const counts = Array.from({ length: BUCKETS }, () => 0);
  for (const ms of times) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
  return counts;
}

test("any time has a bucket", () => {
  expect([0, -1, Number.NaN, 0.5, 1].map(bucketOf)).toEqual([0, 0, 0, 0, 0]);
  expect([1e6, 1e9, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual([35, 35, 35]);
  expect(bucketOf(10)).toBe(6);
  expect(bucketOf(999)).toBe(17);
});

test("quantiles are off by 22 % at most, also of merged histograms", () => {
  const times = Array.from({ length: 5000 }, (_, i) => 2 * 1.0025 ** i).filter((ms) => ms < 9e5);
  const [left, right] = [times.slice(0, 1000), times.slice(1000)].map(histogram);
  const merged = left?.map((count, i) => count + (right?.[i] ?? 0)) ?? [];
  expect(merged).toEqual(histogram(times));
  for (const [name, part] of [
    ["p50", 0.5] as const,
    ["p95", 0.95] as const,
    ["p99", 0.99] as const,
  ]) {
    const exact = times[Math.floor(part * times.length)] ?? 0;
    const told = quantilesOf(merged)?.[name] ?? 0;
    expect(Math.abs(told / exact - 1)).toBeLessThan(0.22);
  }
});

test("one time is its own median, and nothing has none", () => {
  const { p50 = 0, p99 = 0 } = quantilesOf(histogram([250])) ?? {};
  for (const ms of [1, 1000, 1400, 1467, 1469, 99_999]) {
    const [most = 0] = [quantilesOf(histogram([ms, ms, ms]))?.p95];
    expect(Math.abs(most / ms - 1)).toBeLessThan(0.22);
  }
  expect(Math.abs(p50 / 250 - 1)).toBeLessThan(0.22);
  expect(p99).toBeGreaterThanOrEqual(p50);
  expect(quantilesOf(histogram([]))).toBeNull();
});
