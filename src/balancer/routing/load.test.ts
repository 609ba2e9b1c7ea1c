import { describe, expect, test } from "bun:test";
import { Load } from "./load.ts";

const HOUR_MS = 3_600_000;
const done = { success: true, nowMs: 0, latencyMs: 100 };
const broken = { success: false, nowMs: 0, latencyMs: 50 };

test("a request is active until its lease is finished, and counted once", () => {
  const load = new Load(2);
  const lease = load.begin();
  expect([load.active, load.assigned, load.successes]).toEqual([1, 1, 0]);
  expect([lease.finish(done), lease.finish(broken), lease.cancel()]).toEqual([true, false, false]);
  expect([load.active, load.successes, load.errors, load.latencyTotalMs]).toEqual([0, 1, 0, 100]);
});

test("a cancelled request gives its slot back and counts neither success nor error", () => {
  const load = new Load();
  expect(load.begin(true).cancel()).toBe(true);
  expect([load.active, load.exploring, load.successes, load.errors]).toEqual([0, 0, 0, 0]);
});

test("an exploring request stops exploring with its measurement or its end, once", () => {
  const load = new Load();
  const [first, second] = [load.begin(true), load.begin(true)];
  first.explored();
  first.explored();
  expect(load.exploring).toBe(1);
  first.finish(done);
  second.finish(broken);
  expect(load.exploring).toBe(0);
});

test("test_finish_request_accumulates_tokens", () => {
  const load = new Load();
  load.begin().finish({ ...done, tokens: { input: 10, output: 5 } });
  expect([load.inputTokens, load.outputTokens, load.totalTokens]).toEqual([10, 5, 15]);
});

test("test_finish_request_accumulates_multiple_tokens", () => {
  const load = new Load();
  for (const input of [1, 2, 3]) load.begin().finish({ ...done, tokens: { input, output: 10 } });
  load.begin().finish(done);
  expect([load.inputTokens, load.outputTokens, load.totalTokens]).toEqual([6, 30, 36]);
});

test("test_finish_request_accumulates_tokens_on_error", () => {
  const load = new Load();
  load.begin().finish({ ...broken, tokens: { input: 7, output: 2 } });
  expect([load.errors, load.inputTokens, load.outputTokens]).toEqual([1, 7, 2]);
});

test("metrics_history_tracks_recent_points", () => {
  const load = new Load();
  for (let i = 0; i < 400; i += 1) load.record({ atMs: i, activeRequests: i });
  const times = load.metricsHistory.map(({ atMs }) => atMs);
  expect(times).toEqual(Array.from({ length: 360 }, (_, i) => i + 40));
  expect(load.lastMetrics?.atMs).toBe(399);
});

test("the larger count of active requests holds, unless the endpoint's is over 120 s old", () => {
  const load = new Load();
  load.begin();
  load.record({ atMs: 0, activeRequests: 3 });
  expect([load.combinedActive(120_000), load.combinedActive(120_001)]).toEqual([3, 1]);
});

test("the average time is of our own requests, before the first the endpoint's", () => {
  const load = new Load();
  expect(load.averageMs).toBeUndefined();
  load.record({ atMs: 0, activeRequests: 0, averageMs: 500 });
  expect(load.averageMs).toBe(500);
  load.begin().finish(done);
  load.begin().finish(broken);
  expect(load.averageMs).toBe(75);
});

describe("the minutes", () => {
  test("are 60, up to now, zero where nothing was finished", () => {
    const load = new Load();
    const points = load.minutes.read(HOUR_MS);
    expect(points).toHaveLength(60);
    expect(points[0]).toEqual({ minute: "1970-01-01T00:01:00.000Z", success: 0, error: 0 });
    expect(points[59]).toEqual({ minute: "1970-01-01T01:00:00.000Z", success: 0, error: 0 });
  });

  test("count successes and errors, and forget them after an hour", () => {
    const load = new Load();
    load.begin().finish({ ...done, nowMs: HOUR_MS });
    load.begin().finish({ ...broken, nowMs: HOUR_MS + 59_999 });
    load.begin().finish({ ...done, nowMs: HOUR_MS + 60_000 });
    const [before, last] = load.minutes.read(HOUR_MS + 60_000).slice(-2);
    expect(before).toMatchObject({ success: 1, error: 1 });
    expect(last).toMatchObject({ success: 1, error: 0 });
    const later = load.minutes.read(2 * HOUR_MS);
    expect(later.reduce((sum, { success, error }) => sum + success + error, 0)).toBe(1);
    load.begin().finish({ ...done, nowMs: 2 * HOUR_MS });
    expect(load.minutes.read(2 * HOUR_MS).at(-1)).toMatchObject({ success: 1, error: 0 });
  });
});
