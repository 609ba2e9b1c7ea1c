import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createEndpoint, makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";
import { dayOf } from "./day.ts";
import type { NewRequestRow } from "./records.ts";
import type { UsageQuery } from "./usage.ts";

let home: StateHome;
let state: State;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
});
afterEach(() => home.remove());

async function record(...requests: Partial<NewRequestRow>[]): Promise<void> {
  for (const request of requests) state.requests.record(makeRequest(request));
  expect(await state.writes.flush()).toBe(true);
}

describe("usage", () => {
  const noon = (day: string) => new Date(`${day}T12:00:00`).getTime();

  test("is added up by day, endpoint, model, key and kind, and outlives the history", async () => {
    const one = { inputTokens: 10, outputTokens: 5, cachedTokens: 2, durationMs: 100 };
    const [a, b] = [{ endpointId: "a" }, { endpointId: "b", apiKeyId: "k" }];
    await record(
      { ...one, ...a, startedAt: noon("2026-01-31"), model: "x" },
      { ...one, ...a, startedAt: noon("2026-02-01"), model: "x", succeeded: false },
    );
    await record(
      { ...one, ...b, startedAt: noon("2026-02-01"), model: "y" },
      { ...one, ...a, startedAt: noon("2026-02-01"), model: "x", requestType: "embeddings" },
    );
    await state.requests.prune(Date.now());
    const { usage } = state;
    const four = { requests: 4, succeeded: 3, failed: 1, durationMs: 400 };
    const tokens = { inputTokens: 40, outputTokens: 20, cachedTokens: 8 };
    const { firstByte, duration, ...sums } = await usage.totals();
    expect(sums).toEqual({ ...four, ...tokens, costMicros: 0 });
    expect(firstByte).toBeNull();
    expect(await usage.totals({ model: "none" })).toMatchObject({ requests: 0, inputTokens: 0 });
    const counts = async (query: UsageQuery) =>
      (await usage.rows(query)).rows.map(({ group, requests }) => [group, requests]);
    expect(await counts({ group: "endpointId" })).toEqual([
      ["a", 3],
      ["b", 1],
    ]);
    expect(await counts({ group: "apiKeyId", filter: { apiKeyId: "k" } })).toEqual([["k", 1]]);
    expect(await counts({ group: "requestType" })).toEqual([
      ["chat", 3],
      ["embeddings", 1],
    ]);
    expect(
      (await usage.rows({ by: "day", filter: { endpointId: ["a", "c"] } })).rows,
    ).toMatchObject([
      { period: "2026-02-01", group: null, requests: 2, failed: 1 },
      { period: "2026-01-31", requests: 1 },
    ]);
    const filter = { from: noon("2026-02-01"), until: noon("2026-02-28") };
    expect((await usage.rows({ by: "month", filter })).rows).toMatchObject([
      { period: "2026-02", requests: 3 },
    ]);
    expect((await usage.rows({ by: "month", group: "model", limit: 1 })).rows).toMatchObject([
      { period: "2026-02", group: "x", requests: 2 },
    ]);
  });

  test("is added up by the hour, which is forgotten before the day", async () => {
    const [one, two] = [noon("2026-01-31"), noon("2026-01-31") + 3_599_999];
    const costly = { userId: "u", costMicros: 1_500_000 };
    await record({ startedAt: one, ...costly }, { startedAt: two, ...costly });
    await record({ startedAt: two + 1, userId: "v" });
    const { usage } = state;
    expect((await usage.rows({ by: "hour" })).rows).toMatchObject([
      { period: two + 1, requests: 1 },
      { period: one, requests: 2, costMicros: 3_000_000 },
    ]);
    const first = { from: one + 5, until: two + 1 };
    expect((await usage.rows({ by: "hour", group: "userId", filter: first })).rows).toMatchObject([
      { group: "u", requests: 2 },
    ]);
    const { rows, totals, isTruncated } = await usage.rows({
      by: "hour",
      group: "userId",
      limit: 1,
    });
    expect([rows.length, totals.requests, isTruncated]).toEqual([1, 3, true]);
    expect(await usage.pruneHours(one, 3)).toBe(0);
    expect(await usage.pruneHours(one, 1)).toBe(1);
    expect((await usage.rows({ by: "hour" })).rows).toMatchObject([{ requests: 1 }]);
    expect((await usage.rows({ by: "day" })).rows).toMatchObject([{ requests: 3 }]);
  });

  test("tells quantiles of any group, merged from batches and keys", async () => {
    for (const [apiKeyId, base] of [["k", 100] as const, ["l", 1000] as const]) {
      const times = Array.from({ length: 100 }, (_, i) => base * (1 + i / 1000));
      await record(...times.map((ms) => ({ apiKeyId, firstByteMs: ms / 10, durationMs: ms })), {
        apiKeyId,
        succeeded: false,
        firstByteMs: 1,
        durationMs: 1,
      });
    }
    const near =
      (ms: number) =>
      (value = 0) =>
        Math.abs(value / ms - 1) < 0.22;
    const all = await state.usage.totals();
    expect(all.duration).toEqual({
      p50: expect.any(Number),
      p95: expect.any(Number),
      p99: expect.any(Number),
    });
    expect(all.duration?.p95).toSatisfy(near(1090));
    expect(all.firstByte?.p99).toSatisfy(near(109));
    const { rows } = await state.usage.rows({ group: "apiKeyId", filter: { apiKeyId: "k" } });
    const [one] = rows;
    expect(one?.duration?.p99).toSatisfy(near(109));
    // The same whether the database or we add up the rows.
    for (const limit of [1, 10]) {
      const { totals } = await state.usage.rows({ group: "apiKeyId", limit });
      expect(totals).toEqual(all);
    }
    expect(await state.usage.totals({}, false)).toMatchObject({ requests: 202, duration: null });
    expect(one?.duration?.p50).toSatisfy(near(105));
  });

  test("books names that only a client made up under no model", async () => {
    const base = { startedAt: noon("2026-01-01"), succeeded: false };
    await record(
      { ...base, model: "made up", httpStatus: 404 },
      { ...base, model: "busy", httpStatus: 429 },
      { ...base, model: "busy", httpStatus: 504 },
      { ...base, model: "busy", httpStatus: 400, endpointId: "e" },
    );
    expect((await state.usage.rows({ group: "model" })).rows).toMatchObject([
      { group: "busy", requests: 3 },
      { group: "", requests: 1 },
    ]);
  });

  test("counts for the endpoint's own row too", async () => {
    const { id: endpointId } = await createEndpoint(state, { name: "a", baseUrl: "http://a" });
    await record({ endpointId }, { endpointId, succeeded: false }, { endpointId });
    const counts = { totalRequests: 3, succeededRequests: 2, failedRequests: 1 };
    expect(await state.endpoints.get(endpointId)).toMatchObject(counts);
  });

  test("belongs to the local day", () => {
    expect(dayOf(new Date(2026, 0, 5, 0, 0).getTime())).toBe("2026-01-05");
    expect(dayOf(new Date(2026, 0, 5, 23, 59, 59).getTime())).toBe("2026-01-05");
  });
});
