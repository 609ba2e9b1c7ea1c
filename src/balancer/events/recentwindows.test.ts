import { afterEach, beforeEach, expect, test } from "bun:test";
import type { State } from "../../db/database.ts";
import type { Logger } from "../../lib/log.ts";
import { makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import { RecentWindows } from "./recentwindows.ts";

const HOUR_MS = 3_600_000;

let home: StateHome;
let state: State;
let warnings: unknown[];
const log = { warn: (...line: unknown[]) => warnings.push(line) } as unknown as Logger;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
  warnings = [];
});
afterEach(() => home.remove());

function ended(msAgo: number, more: Parameters<typeof makeRequest>[0] = {}) {
  const completedAt = Date.now() - msAgo;
  const durationMs = 1000;
  const startedAt = completedAt - durationMs;
  return makeRequest({ startedAt, completedAt, durationMs, succeeded: true, ...more });
}

test("what earlier processes did is counted, the day before yesterday's is not", async () => {
  const streamed = { streamed: true, firstByteMs: 40, outputTokens: 300 };
  for (const request of [
    ended(0.5 * HOUR_MS, streamed),
    ended(0.5 * HOUR_MS, { succeeded: false, error: "upstream_failed" }),
    ended(0.5 * HOUR_MS, { succeeded: false, error: "client_closed" }),
    ended(3 * HOUR_MS),
    ended(30 * HOUR_MS),
  ]) {
    state.requests.record(request);
  }
  await state.writes.flush();

  const windows = new RecentWindows();
  await windows.refill(state.requests, log);

  const totals = (span: "hour" | "day") => {
    const { step_s, points } = windows.of(span);
    const sum = (of: (point: (typeof points)[number]) => number) =>
      Math.round(step_s * points.reduce((all, point) => all + of(point), 0));
    return { requests: sum((p) => p.requests_per_s), errors: sum((p) => p.errors_per_s) };
  };
  expect(totals("hour")).toEqual({ requests: 3, errors: 1 });
  expect(totals("day").requests).toBe(4);
  const first = windows.of("hour").points.find((point) => point.first_token_p50_ms !== null);
  expect(first?.first_token_p50_ms).toBeWithin(40, 48);
  expect(warnings).toEqual([]);
});

test("what this process counts is not counted again, nor replaced by what is older", async () => {
  const windows = new RecentWindows();
  state.requests.record(makeRequest({ startedAt: Date.now() + 5, succeeded: true }));
  await state.writes.flush();
  const now = {
    isError: false,
    isContinued: false,
    outputTokens: 0,
    firstTokenMs: null,
    durationMs: 1,
  };
  windows.count(now, Date.now());
  windows.count(now, Date.now() - HOUR_MS);
  await windows.refill(state.requests, log);
  const { step_s, points } = windows.of("hour");
  expect(points.map((point) => Math.round(step_s * point.requests_per_s))).toEqual([1]);
});

test("a history that cannot be read is logged", async () => {
  const latest = () => Promise.reject(new Error("disk I/O error"));
  await new RecentWindows().refill({ ...state.requests, latest } as never, log);
  expect(warnings).toHaveLength(1);
});
