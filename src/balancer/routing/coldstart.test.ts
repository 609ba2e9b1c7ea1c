import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TestEndpoint, type TestEndpointOptions } from "../../testkit/routable.ts";
import { only, setup } from "../../testkit/scheduling.ts";
import { decideColdStart } from "./coldstart.ts";
import type { ModelWarmthReport } from "./modelwarmth.ts";
import { select } from "./selection.ts";

const LOADED: ModelWarmthReport = { state: "loaded", slots: 4, loadMs: 1000 };
const LOADING: ModelWarmthReport = { ...LOADED, state: "loading" };
const COLD: ModelWarmthReport = { ...LOADED, state: "cold" };

const named = (m: ModelWarmthReport, more: TestEndpointOptions = {}) => ({
  ...{ slots: 16, warmth: { m }, ...more },
});
/** An endpoint with requests for `m` that run, each of which takes so long. */
function busy(options: TestEndpointOptions, count: number, eachMs: number): TestEndpoint {
  const endpoint = new TestEndpoint(options);
  const before = endpoint.warmth.begin("m", 0);
  before.answered(1, { nowMs: 0, usualMs: 1 });
  before.end();
  const measured = endpoint.warmth.begin("m", 1);
  measured.answered(1, { nowMs: 1, usualMs: 1 });
  measured.end(eachMs);
  endpoint.tell({ m: options.warmth?.m ?? LOADED }, options.freeBytes, 2);
  for (let i = 0; i < count; i += 1) {
    endpoint.warmth.begin("m", 2);
    endpoint.load.begin();
  }
  return endpoint;
}
const chosen = (endpoints: TestEndpoint[], waiting = 0) => {
  const start = decideColdStart(endpoints, { model: "m", nowMs: 2, waiting });
  if ("among" in start) return start.among.map(({ name }) => name).join("+");
  if ("endpoint" in start) return `${start.endpoint.name}: ${start.reason}`;
  return "wait" in start ? `wait, not ${start.wait.cold.name}` : start.none;
};
const one = (name: string, state: ModelWarmthReport, more: TestEndpointOptions = {}) =>
  new TestEndpoint({ name, ...named(state, more) });

describe("a request for a model goes", () => {
  test("where it is loaded, before all who load it or would have to", () => {
    const all = [one("a", COLD), one("b", LOADED), one("c", LOADING), one("d", LOADED)];
    expect(chosen(all)).toBe("b+d");
  });

  test("where it is loaded until the queue there is longer than a load", () => {
    const warm = (count: number) => busy({ name: "warm", ...named(LOADED) }, count, 500);
    expect(chosen([warm(11), one("cold", COLD)])).toBe("warm");
    expect(chosen([warm(12), one("cold", COLD)])).toBe("cold: load");
    expect(chosen([warm(12), one("cold", { ...COLD, loadMs: 5000 })])).toBe("warm");
  });

  test("where it loads, until the queue there is longer than a load", () => {
    const loading = (count: number) => busy({ name: "loading", ...named(LOADING) }, count, 500);
    expect(chosen([one("cold", COLD), loading(11)])).toBe("loading: loading");
    expect(chosen([one("cold", COLD), loading(12)])).toBe("cold: load");
  });

  test("nowhere while a slot where it is loaded is free sooner than a load takes", () => {
    const full = (eachMs: number) =>
      busy({ name: "full", ...named(LOADED, { slots: 4 }) }, 4, eachMs);
    expect(chosen([full(500), one("cold", COLD)])).toBe("wait, not cold");
    expect(chosen([full(500), one("cold", COLD)], 8)).toBe("cold: load");
    expect(chosen([full(5000), one("cold", COLD)])).toBe("cold: load");
    expect(chosen([full(5000)])).toBe("no_room");
  });

  test("of cold endpoints to one that loads it soon, and has memory for it", () => {
    const slow = one("slow", { ...COLD, loadMs: 3000 });
    expect(chosen([slow, one("quick", COLD)])).toBe("quick: load");
    const [full, empty] = [10, 90].map((freeBytes) =>
      one(`free${freeBytes}`, { ...COLD, bytes: 50 }, { freeBytes }),
    );
    expect(chosen([full, empty] as TestEndpoint[])).toBe("free90: load");
    expect(chosen([one("failed", { state: "failed" }), slow])).toBe("slow: load");
    expect(chosen([one("busy", COLD, { active: 3 }), one("idle", COLD)])).toBe("idle: load");
  });
});

test("an endpoint that was never measured is not measured by a load while others have it", () => {
  const all = [one("warm", LOADED), one("cold", COLD, { latencyMs: null })];
  for (const strategy of ["latency", "prefix"] as const) {
    const context = { model: "m", strategy, nowMs: 0, turn: 1 };
    expect(select(all, context)).toMatchObject({ endpoint: { name: "warm" } });
  }
});

test("to know the beginning of a prompt is worth nothing where the model is not loaded", () => {
  const all = [one("warm", LOADED), one("cold", COLD)];
  const matches = all.slice(1).map((endpoint) => ({ endpoint, depth: 9 }));
  const context = { model: "m", strategy: "prefix", nowMs: 0, turn: 1, matches } as const;
  expect(select(all, context)).toMatchObject({ endpoint: { name: "warm" } });
});

const state = fc.constantFrom("loaded", "loading", "cold", "failed" as const);
const endpoints = fc.array(
  fc.record({
    ...{ state, active: fc.nat(6), slots: fc.integer({ min: 1, max: 6 }) },
    loadMs: fc.integer({ min: 1, max: 5000 }),
  }),
  { minLength: 1, maxLength: 8 },
);
const hasRoom = ({ load }: TestEndpoint) => load.active < load.slots;

test("whoever has a free slot serves, unless a slot is free elsewhere without a load", () => {
  fc.assert(
    fc.property(endpoints, fc.nat(20), (given, waiting) => {
      const all = given.map(({ state: told, active, slots, loadMs }, i) => {
        const report = { state: told as "cold", loadMs, slots };
        const endpoint = new TestEndpoint({ name: `${i}`, slots, warmth: { m: report } });
        for (let n = 0; n < active; n += 1) endpoint.load.begin();
        return endpoint;
      });
      const start = decideColdStart(all, { model: "m", nowMs: 0, waiting });
      const isCold = ({ warmth }: TestEndpoint) => ["cold", "failed"].includes(warmth.stateOf("m"));
      if ("among" in start) {
        expect(start.among.length).toBeGreaterThan(0);
        expect(start.among.every((i) => hasRoom(i) && i.warmth.isWarm("m"))).toBe(true);
      } else if ("endpoint" in start) {
        expect(hasRoom(start.endpoint)).toBe(true);
        expect(isCold(start.endpoint)).toBe(start.reason === "load");
        expect(all.some((i) => i.warmth.isWarm("m") && hasRoom(i))).toBe(false);
      } else if ("wait" in start) {
        expect(isCold(start.wait.cold) && hasRoom(start.wait.cold)).toBe(true);
        expect(all.some((i) => !isCold(i) && !hasRoom(i))).toBe(true);
        expect(all.some((i) => !isCold(i) && hasRoom(i))).toBe(false);
      } else {
        expect(all.some(hasRoom)).toBe(false);
      }
    }),
  );
});

describe("of many requests", () => {
  test("a burst for a cold model loads it once, and a second time when its queue is longer", () => {
    const { ask, grants } = setup([named(COLD), named(COLD)]);
    const names = Array.from({ length: 8 }, (_, i) => `r${i}`);
    const by = () => names.map((name) => grants.get(name)?.endpoint.name ?? "-").join("");
    for (const name of names.slice(0, 5)) ask(name);
    // Four slots of 2 s each, before one was measured: one more waits 500 ms.
    expect(by()).toBe("aaaaa---");
    for (const name of names.slice(5)) ask(name);
    expect(by()).toBe("aaaaaabb");
  });

  test("those that wait for a slot make nobody load, until nobody is served", () => {
    const offers: [string, number][] = [];
    const warm = named({ ...LOADED, slots: 1 }, { slots: 1 });
    const cold = named({ ...COLD, loadMs: 5000 });
    const { scheduler, ask, all, settled, finish } = setup([warm, cold], {
      onBlocked: ({ name }, untilMs) => offers.push([name, untilMs]),
    });
    ask("first");
    expect(ask("second", { nowMs: 100 }).kind).toBe("queued");
    expect(ask("third", { nowMs: 200 }).kind).toBe("queued");
    expect(offers).toEqual([["b", 5100]]);
    finish("first", 1000);
    expect(settled).toEqual(["second:a"]);
    const b = only(all.slice(1));
    scheduler.offer(b, 5100);
    expect(settled).toEqual(["second:a"]);
    expect(offers.at(-1)).toEqual(["b", 6000]);
    scheduler.offer(b, 6000);
    expect(settled).toEqual(["second:a", "third:b"]);
  });

  test("those for one model are loaded for in time, however long another load is held", () => {
    const offers: number[] = [];
    const taken = { slots: 1, active: 1 };
    const [slow, quick] = [60_000, 5000].map((loadMs) => ({ ...COLD, loadMs }));
    const { ask, all } = setup(
      [
        { ...taken, models: ["m", "n"], warmth: { m: LOADED, n: LOADED } },
        { models: ["m", "n"], warmth: { m: slow ?? COLD, n: quick ?? COLD } },
      ],
      { onBlocked: (_, untilMs) => offers.push(untilMs) },
    );
    for (const { warmth } of all.slice(0, 1)) warmth.begin("m", 0);
    expect(ask("slow").kind).toBe("queued");
    expect(ask("quick", { model: "n" }).kind).toBe("queued");
    expect(ask("another", { model: "n", nowMs: 10 }).kind).toBe("queued");
    expect(offers).toEqual([60_000, 5000]);
  });

  test("those whose endpoint goes offline are loaded for elsewhere in time", () => {
    const offers: number[] = [];
    const cold = named({ ...COLD, loadMs: 5000 });
    const { scheduler, ask, all, settled } = setup([named(LOADED, { slots: 1 }), cold], {
      onBlocked: (_, untilMs) => offers.push(untilMs),
    });
    ask("first");
    ask("second");
    const [a, b] = all;
    if (a === undefined || b === undefined) throw new Error("there are two");
    a.health.status = "offline";
    scheduler.wentOffline(a);
    scheduler.offer(b, offers[0] ?? 0);
    expect(settled).toEqual(["second:b"]);
  });
});
