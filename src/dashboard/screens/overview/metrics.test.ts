import { expect, test } from "bun:test";
import type { MetricsPoint } from "../../../wire/event.ts";
import { continuedStreams, errorShare, gridOf } from "./metrics.ts";

const NOW_MS = Date.parse("2026-01-31T12:00:07Z");

function point(at: string, requests = 1, errors = 0): MetricsPoint {
  return {
    ...{ at, requests_per_s: requests, tokens_per_s: 0, errors_per_s: errors },
    continued_per_s: 0.1,
    ...{ first_token_p50_ms: null, first_token_p95_ms: null },
  };
}

test("every step of the hour has its place, whether something happened or not", () => {
  const one = point("2026-01-31T11:30:10.000Z");
  const { times, range, steps } = gridOf({ step_s: 10, points: [one] }, "hour", NOW_MS);
  expect([times.length, steps.length]).toEqual([360, 360]);
  expect(range[1] - range[0]).toBe(3590);
  expect(times.at(-1)).toBe(range[1]);
  expect(steps.filter((step) => step !== undefined)).toEqual([one]);
  expect(times[steps.indexOf(one)]).toBe(Date.parse(one.at) / 1000);
});

test("a day has steps of five minutes", () => {
  const { times, range } = gridOf({ step_s: 300, points: [] }, "day", NOW_MS);
  expect([times.length, range[1] - range[0]]).toEqual([288, 86_100]);
});

test("the share of errors is that of all requests, and none without any", () => {
  const points = [point("2026-01-31T11:00:00Z", 3), point("2026-01-31T11:01:00Z", 1, 1)];
  expect(errorShare({ step_s: 10, points })).toBe(0.25);
  expect(errorShare({ step_s: 10, points: [] })).toBeUndefined();
});

test("streams that went on are counted over all steps", () => {
  const points = [point("2026-01-31T11:00:00Z"), point("2026-01-31T11:01:00Z")];
  expect(continuedStreams({ step_s: 10, points })).toBe(2);
});
