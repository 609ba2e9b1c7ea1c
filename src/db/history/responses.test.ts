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

const made = (id: string, upstreamId: string, madeAt = 1) => ({
  id,
  upstreamId,
  madeAt,
  model: "m",
});

test("who made a response is known after a restart; the last one counts", async () => {
  state.responses.record(made("resp_1", "a"));
  await state.writes.flush();
  state.responses.record(made("resp_1", "b"));
  await state.close();
  state = await home.open();
  expect(await state.responses.get("resp_1")).toEqual(made("resp_1", "b"));
  expect(await state.responses.get("resp_2")).toBeUndefined();
});

test("responses are kept for a time and up to a number", async () => {
  for (let i = 1; i <= 20; i += 1) state.responses.record(made(`resp_${i}`, "a", i));
  await state.writes.flush();
  expect(await state.responses.prune(6, 100)).toBe(5);
  expect(await state.responses.prune(0, 10)).toBe(5);
  expect(await state.responses.get("resp_10")).toBeUndefined();
  expect(await state.responses.get("resp_11")).toBeDefined();
});
