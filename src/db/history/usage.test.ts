import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createEndpoint, makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";
import type { NewRequestRow } from "./records.ts";
import { dayOf } from "./usage.ts";

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
    expect(await usage.totals()).toEqual({ ...four, ...tokens });
    expect(await usage.totals({ model: "none" })).toMatchObject({ requests: 0, inputTokens: 0 });
    const counts = async (rows: Promise<{ requests: number }[]>) =>
      (await rows).map(({ requests }) => requests);
    expect(await counts(usage.by("endpointId"))).toEqual([3, 1]);
    expect(await counts(usage.by("apiKeyId", { apiKeyId: "k" }))).toEqual([1]);
    expect(await counts(usage.by("requestType"))).toEqual([3, 1]);
    expect(await usage.daily({ endpointId: "a" })).toMatchObject([
      { day: "2026-01-31", requests: 1 },
      { day: "2026-02-01", requests: 2, failed: 1 },
    ]);
    const february = { fromDay: "2026-02-01", untilDay: "2026-02-28" };
    expect(await usage.monthly(february)).toMatchObject([{ month: "2026-02", requests: 3 }]);
  });

  test("books names that only a client made up under no model", async () => {
    const base = { startedAt: noon("2026-01-01"), succeeded: false };
    await record(
      { ...base, model: "made up", httpStatus: 404 },
      { ...base, model: "busy", httpStatus: 429 },
      { ...base, model: "busy", httpStatus: 504 },
      { ...base, model: "busy", httpStatus: 400, endpointId: "e" },
    );
    expect(await state.usage.by("model")).toMatchObject([
      { model: "", requests: 1 },
      { model: "busy", requests: 3 },
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
