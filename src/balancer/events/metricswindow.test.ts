import { expect, test } from "bun:test";
import { type EndedSample, MetricsWindow } from "./metricswindow.ts";

const NOW_MS = 1_700_000_000_000;
const OK: EndedSample = {
  ...{ isError: false, isContinued: false, outputTokens: 0, firstTokenMs: null, durationMs: 0 },
};

test("rates are of the last seconds, and what is older does not count", () => {
  const window = new MetricsWindow({ spanS: 1, spans: 60 });
  for (let i = 0; i < 20; i += 1) window.count(OK, NOW_MS);
  window.count({ ...OK, isError: true }, NOW_MS);
  for (let i = 0; i < 3; i += 1) window.count({ ...OK, isContinued: true }, NOW_MS);
  const counted = { requests_per_s: 2.4, errors_per_s: 0.1, continued_per_s: 0.3 };
  expect(window.last(10, NOW_MS)).toMatchObject(counted);
  expect(window.last(10, NOW_MS + 10_000)).toMatchObject({ requests_per_s: 0, errors_per_s: 0 });
  // The ring has come round: the place of that second is another one's.
  expect(window.last(10, NOW_MS + 60_000)).toMatchObject({ requests_per_s: 0 });
});

test("tokens count in the seconds in which they came", () => {
  const window = new MetricsWindow({ spanS: 1, spans: 60 });
  window.count({ ...OK, outputTokens: 100, firstTokenMs: 1000, durationMs: 10_000 }, NOW_MS);
  expect(window.last(10, NOW_MS).tokens_per_s).toBe(10);
  expect(window.last(5, NOW_MS).tokens_per_s).toBe(10);
  expect(window.last(1, NOW_MS).tokens_per_s).toBe(10);
});

test("a request that was longer than the window counts in all of it", () => {
  const window = new MetricsWindow({ spanS: 1, spans: 4 });
  window.count({ ...OK, outputTokens: 40, durationMs: 3_600_000 }, NOW_MS);
  expect(window.last(4, NOW_MS).tokens_per_s).toBe(10);
});

test("quantiles are a fifth too long at most, and none without streams", () => {
  const window = new MetricsWindow({ spanS: 1, spans: 60 });
  window.count(OK, NOW_MS);
  expect(window.last(10, NOW_MS).first_token_p50_ms).toBeNull();
  for (let i = 1; i <= 100; i += 1) window.count({ ...OK, firstTokenMs: i }, NOW_MS);
  const { first_token_p50_ms: p50 = 0, first_token_p95_ms: p95 = 0 } = window.last(10, NOW_MS);
  expect(p50).toBeGreaterThanOrEqual(50);
  expect(p50).toBeLessThanOrEqual(60);
  expect(p95).toBeGreaterThanOrEqual(95);
  expect(p95).toBeLessThanOrEqual(114);
});

test("points are the spans that had something, oldest first", () => {
  const window = new MetricsWindow({ spanS: 10, spans: 360 });
  window.count(OK, NOW_MS);
  window.count(OK, NOW_MS + 25_000);
  const points = window.points(NOW_MS + 40_000);
  expect(points.map(({ at }) => Date.parse(at) - NOW_MS)).toEqual([0, 20_000]);
  expect(window.points(NOW_MS + 3_700_000)).toEqual([]);
});
