import { describe, expect, test } from "bun:test";
import { Warmth } from "./warmth.ts";

const at = (nowMs: number, more = {}) => ({ nowMs, slots: 8, active: 0, waiting: 0, ...more });
const told = (models: Record<string, object>, freeBytes?: number) => ({
  models: new Map(Object.entries(models)) as never,
  freeBytes,
});
/** An endpoint that told this at time 0. */
function warmthOf(models: Record<string, object>, freeBytes?: number): Warmth {
  const warmth = new Warmth();
  warmth.apply(told(models, freeBytes), { askedAtMs: 0, nowMs: 0 });
  return warmth;
}

test("of an endpoint that tells what it has loaded, all else is cold", () => {
  const silent = new Warmth();
  expect([silent.stateOf("m"), silent.isWarm("m")]).toEqual(["unknown", true]);
  expect(silent.loadLeftMs("m", 0)).toBe(0);
  const warmth = warmthOf({ m: { state: "loaded" } });
  expect([warmth.stateOf("m"), warmth.stateOf("n")]).toEqual(["loaded", "cold"]);
  warmth.reset();
  expect(warmth.stateOf("n")).toBe("unknown");
});

describe("a load takes", () => {
  test("as long as the endpoint says, else as its size makes likely, else ten seconds", () => {
    const warmth = warmthOf({
      told: { state: "cold", loadMs: 300 },
      large: { state: "cold", bytes: 4e9 },
    });
    expect(warmth.loadLeftMs("told", 0)).toBe(300);
    expect(warmth.loadLeftMs("large", 0)).toBe(4500);
    expect(warmth.loadLeftMs("other", 0)).toBe(10_000);
  });

  test("as long as it did for a request, the usual time of an answer aside", () => {
    const warmth = warmthOf({});
    const use = warmth.begin("m", 0);
    expect(use.answered(3000, { nowMs: 3000, usualMs: 200 })).toBe(false);
    use.end(4000);
    warmth.apply(told({}), { askedAtMs: 5000, nowMs: 5000 });
    expect(warmth.loadLeftMs("m", 5000)).toBe(2800);
  });

  test("twice as long where another model has to make room for it", () => {
    const models = { a: { state: "cold", loadMs: 100, bytes: 60 } };
    expect(warmthOf(models, 60).loadLeftMs("a", 0)).toBe(100);
    expect(warmthOf(models, 59).loadLeftMs("a", 0)).toBe(200);
  });

  test("what memory there is goes to whoever loads first", () => {
    const b = { state: "cold", loadMs: 100, bytes: 50 };
    const warmth = warmthOf({ a: { ...b }, b }, 60);
    warmth.begin("a", 0);
    expect(warmth.loadLeftMs("b", 0)).toBe(200);
  });

  test("less and less while it goes on, but some as long as it is not done", () => {
    const warmth = warmthOf({ m: { state: "cold", loadMs: 1000 } });
    warmth.begin("m", 5000);
    expect(warmth.stateOf("m")).toBe("loading");
    expect(warmth.loadLeftMs("m", 5400)).toBe(600);
    expect(warmth.loadLeftMs("m", 9000)).toBe(100);
  });
});

describe("what was told", () => {
  const COLD = { m: { state: "cold", loadMs: 1000 } };

  test("earlier than a request began changes nothing of its model", () => {
    const warmth = warmthOf({ m: { state: "loaded" } });
    const use = warmth.begin("m", 100);
    use.answered(10, { nowMs: 110, usualMs: 10 });
    warmth.apply(told(COLD), { askedAtMs: 105, nowMs: 120 });
    expect(warmth.stateOf("m")).toBe("loaded");
    warmth.apply(told(COLD), { askedAtMs: 200, nowMs: 200 });
    expect(warmth.stateOf("m")).toBe("cold");
  });

  test("of a cold model does not end the load that an unanswered request began", () => {
    const warmth = warmthOf(COLD);
    const use = warmth.begin("m", 0);
    warmth.apply(told(COLD), { askedAtMs: 10, nowMs: 10 });
    expect(warmth.stateOf("m")).toBe("loading");
    use.end();
    expect(warmth.stateOf("m")).toBe("cold");
  });

  test("of a load that failed does", () => {
    const warmth = warmthOf(COLD);
    warmth.begin("m", 0);
    warmth.apply(told({ m: { state: "failed" } }), { askedAtMs: 10, nowMs: 10 });
    expect(warmth.stateOf("m")).toBe("failed");
    expect(warmth.loadLeftMs("m", 10)).toBeGreaterThan(60_000);
  });
});

describe("the time of an answer", () => {
  test("counts unless the model was loaded for it", () => {
    const warmth = warmthOf({ warm: { state: "loaded" } });
    const answer = (model: string) =>
      warmth.begin(model, 0).answered(50, { nowMs: 50, usualMs: 50 });
    expect([answer("warm"), answer("cold"), answer("cold")]).toEqual([true, false, false]);
    expect(warmth.begin("cold", 60).answered(50, { nowMs: 110, usualMs: 50 })).toBe(true);
  });

  test("does not count when the endpoint had unloaded it without our knowing", () => {
    const warmth = warmthOf({ m: { state: "loaded" } });
    const use = warmth.begin("m", 0);
    warmth.apply(told({ m: { state: "loading" } }), { askedAtMs: 20, nowMs: 20 });
    warmth.apply(told({ m: { state: "loaded" } }), { askedAtMs: 900, nowMs: 900 });
    expect(use.answered(950, { nowMs: 950, usualMs: 50 })).toBe(false);
  });
});

test("the queue is who is ahead beyond the model's slots, by the mean time of its requests", () => {
  const warmth = warmthOf({ m: { state: "loaded", slots: 2 } });
  const first = warmth.begin("m", 0);
  first.answered(10, { nowMs: 10, usualMs: 10 });
  first.end(400);
  const uses = Array.from({ length: 3 }, () => warmth.begin("m", 500));
  expect(warmth.startOf("m", at(500)).queueMs).toBe(400);
  expect(warmth.startOf("m", at(500, { waiting: 2 })).queueMs).toBe(800);
  expect(warmth.startOf("m", at(500, { active: 9 })).queueMs).toBe(400);
  expect(warmth.startOf("n", at(500, { active: 11 })).queueMs).toBe(200);
  for (const use of uses) use.end(400);
  expect(warmth.startOf("m", at(500))).toEqual({ state: "loaded", loadMs: 0, queueMs: 0 });
});

test("what is loaded has another fingerprint once it is something else", () => {
  const warmth = warmthOf({ a: { state: "loaded" }, b: { state: "cold" } }, 50);
  const before = warmth.fingerprint;
  warmth.apply(told({ a: { state: "loaded" } }, 40), { askedAtMs: 1, nowMs: 1 });
  expect(warmth.fingerprint).toBe(before);
  expect(warmth.memory.freeBytes).toBe(40);
  warmth.begin("b", 2);
  const loading = warmth.fingerprint;
  warmth.apply(told({ a: { state: "loaded", isPinned: true } }), { askedAtMs: 3, nowMs: 3 });
  expect(new Set([before, loading, warmth.fingerprint]).size).toBe(3);
  expect(new Warmth().fingerprint).toBe("");
});
