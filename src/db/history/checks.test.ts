import { afterEach, beforeEach, expect, test } from "bun:test";
import { makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";

let home: StateHome;
let state: State;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
});
afterEach(() => home.remove());

test("health checks are kept, newest first, for a time and up to a number", async () => {
  for (let i = 1; i <= 1300; i += 1) {
    state.checks.record({
      ...{ endpointId: i % 2 === 0 ? "even" : "odd", checkedAt: i, succeeded: i % 2 === 0 },
      ...{ latencyMs: i % 2 === 0 ? 1.5 : null, error: i % 2 === 0 ? null : "HTTP 500" },
      ...{ statusBefore: "online", statusAfter: "error" },
    });
  }
  await state.writes.flush();
  const newest = await state.checks.of("odd", { limit: 2 });
  const failed = { endpointId: "odd", succeeded: false, latencyMs: null, error: "HTTP 500" };
  const after = { statusBefore: "online", statusAfter: "error" } as const;
  expect(newest).toEqual([
    { ...failed, ...after, checkedAt: 1299 },
    { ...failed, ...after, checkedAt: 1297 },
  ]);
  expect((await state.checks.of("odd", { before: 4 })).map((row) => row.checkedAt)).toEqual([3, 1]);
  expect(await state.checks.prune(601, 1000)).toBe(600);
  expect(await state.checks.prune(0, 100)).toBe(600);
  expect(await state.checks.of("even", { limit: 1000 })).toHaveLength(50);
});
