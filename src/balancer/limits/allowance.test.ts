import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { NO_LIMITS } from "../../wire/limits.ts";
import { Allowance } from "./allowance.ts";

const NOW = Date.UTC(2030, 0, 31, 23, 59, 0);
const MINUTE = 60_000;

const allowance = (limits: Partial<typeof NO_LIMITS>, state = {}) =>
  new Allowance({ ...NO_LIMITS, ...limits }, state, NOW);

describe("requests a minute", () => {
  test("are refused when they are used up, and come back evenly", () => {
    const one = allowance({ requests_per_minute: 6 });
    for (let i = 0; i < 6; i += 1) {
      expect(one.refusal(0, NOW)).toBeUndefined();
      one.begin(0, NOW);
    }
    const refusal = { limit: "requests_per_minute", max: 6, retryMs: 10_000 } as const;
    expect(one.refusal(0, NOW)).toEqual(refusal);
    expect(one.remaining(NOW).requests).toEqual({ max: 6, left: 0, resetMs: MINUTE });
    expect(one.refusal(0, NOW + 10_000)).toBeUndefined();
    expect(one.remaining(NOW + MINUTE).requests).toEqual({ max: 6, left: 6, resetMs: 0 });
  });

  test("none at all refuses each, and says to try later", () => {
    const one = allowance({ requests_per_minute: 0 });
    expect(one.refusal(0, NOW)?.retryMs).toBe(MINUTE);
  });

  test("never exceed their number in a minute by more than what was saved up", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }),
        (max, steps) => {
          const one = allowance({ requests_per_minute: max });
          let now = NOW;
          const granted: number[] = [];
          for (const step of steps) {
            now += step;
            if (one.refusal(0, now) !== undefined) continue;
            one.begin(0, now);
            granted.push(now);
          }
          for (const start of granted) {
            const within = granted.filter((at) => at >= start && at < start + MINUTE);
            expect(within.length).toBeLessThanOrEqual(2 * max);
          }
        },
      ),
    );
  });
});

describe("tokens a minute", () => {
  test("are taken as estimated, and corrected at the end", () => {
    const one = allowance({ tokens_per_minute: 1000 });
    one.begin(400, NOW);
    expect(one.remaining(NOW).tokens?.left).toBe(600);
    one.settle(400, { tokens: 900, costMicros: 0 }, NOW);
    expect(one.remaining(NOW).tokens?.left).toBe(100);
    expect(one.refusal(200, NOW)).toMatchObject({ limit: "tokens_per_minute", retryMs: 6000 });
  });

  test("may be overdrawn by what runs, which is waited for afterwards", () => {
    const one = allowance({ tokens_per_minute: 60 });
    one.begin(0, NOW);
    one.settle(0, { tokens: 120, costMicros: 0 }, NOW);
    expect(one.refusal(1, NOW)?.retryMs).toBe(61_000);
  });

  test("a request of more than a minute's waits for a whole minute's, not for ever", () => {
    const one = allowance({ tokens_per_minute: 100 });
    expect(one.refusal(5000, NOW)).toBeUndefined();
    one.begin(50, NOW);
    expect(one.refusal(5000, NOW)?.retryMs).toBe(30_000);
  });
});

test("requests at once are counted until they end", () => {
  const one = allowance({ concurrent_requests: 2 });
  one.begin(0, NOW);
  one.begin(0, NOW);
  expect(one.refusal(0, NOW)?.limit).toBe("concurrent_requests");
  one.end();
  expect(one.refusal(0, NOW)).toBeUndefined();
});

describe("budgets", () => {
  test("of tokens are used up by what was used, and begin anew with the day of UTC", () => {
    const one = allowance({ tokens_per_day: 100 });
    one.settle(0, { tokens: 99, costMicros: 0 }, NOW);
    expect(one.refusal(1000, NOW)).toBeUndefined();
    one.settle(0, { tokens: 1, costMicros: 0 }, NOW);
    expect(one.refusal(0, NOW)).toEqual({ limit: "tokens_per_day", max: 100, retryMs: MINUTE });
    expect(one.refusal(0, NOW + MINUTE)).toBeUndefined();
  });

  test("of money count in millionths, by the month", () => {
    const one = allowance({ cost_per_month: 0.5 });
    one.settle(0, { tokens: 1, costMicros: 499_999 }, NOW);
    expect(one.refusal(0, NOW)).toBeUndefined();
    one.settle(0, { tokens: 1, costMicros: 1 }, NOW);
    expect(one.refusal(0, NOW)?.limit).toBe("cost_per_month");
    expect(one.refusal(0, Date.UTC(2030, 1, 1))).toBeUndefined();
  });
});

test("what was used survives a restart, and a change of the limits", () => {
  const limits = { ...NO_LIMITS, tokens_per_day: 100, requests_per_minute: 2 };
  const one = new Allowance(limits, {}, NOW);
  one.begin(0, NOW);
  one.settle(0, { tokens: 100, costMicros: 0 }, NOW);
  const stored = JSON.parse(JSON.stringify(one.state));
  const again = new Allowance(limits, stored, NOW + 1);
  expect(again.refusal(0, NOW + 1)?.limit).toBe("tokens_per_day");
  again.apply({ ...limits, tokens_per_day: 200 }, NOW + 1);
  expect(again.refusal(0, NOW + 1)).toBeUndefined();
  expect(again.remaining(NOW + 1).requests?.left).toBe(1);
});
