import { expect, test } from "bun:test";
import { Load } from "./load.ts";

const done = { success: true, nowMs: 0, latencyMs: 100 };
const broken = { success: false, nowMs: 0, latencyMs: 50 };

test("a request is active until it is finished, and counted once", () => {
  const load = new Load(2);
  const request = load.begin();
  expect([load.active, load.successes]).toEqual([1, 0]);
  expect([request.finish(done), request.finish(broken), request.cancel()]).toEqual([
    true,
    false,
    false,
  ]);
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
