import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decideRoom, type RoomQuestion, type Tenant } from "./decision.ts";

const GIB = 2 ** 30;
const NONE: ReadonlySet<string> = new Set();

const tenant = (key: string, more: Partial<Tenant> = {}): Tenant => ({
  ...{ key, memory: { host: GIB }, isBusy: false, isPinned: false, usedMs: 0, loadMs: 1000 },
  ...more,
});
const decide = (tenants: Tenant[], more: Partial<RoomQuestion> = {}) =>
  decideRoom({
    ...{ need: { host: GIB }, free: { host: 0 }, guessed: NONE, tenantsMax: 100 },
    nowMs: 10_000,
    tenants,
    ...more,
  });

describe("room for one more engine", () => {
  test("is there where enough is free", () => {
    expect(decide([tenant("a")], { free: { host: GIB } })).toEqual({ do: "start" });
    expect(decide([])).toEqual({ do: "refuse", memory: "host", bytes: 0 });
  });

  test("is made of the one that nobody has needed for longest", () => {
    const tenants = [tenant("new", { usedMs: 9000 }), tenant("old", { usedMs: 100 })];
    expect(decide(tenants)).toEqual({ do: "end", keys: ["old"] });
  });

  test("is made of the one that is quick to bring back", () => {
    const tenants = [tenant("slow", { loadMs: 60_000 }), tenant("quick", { loadMs: 100 })];
    expect(decide(tenants)).toEqual({ do: "end", keys: ["quick"] });
  });

  test("takes no more than is needed", () => {
    const tenants = [
      tenant("small", { memory: { host: GIB / 4 }, usedMs: 0 }),
      tenant("large", { usedMs: 9000 }),
    ];
    expect(decide(tenants)).toEqual({ do: "end", keys: ["large"] });
  });

  test("is waited for while it is busy, and is not made of what is pinned", () => {
    const busy = tenant("busy", { isBusy: true });
    const pinned = tenant("pinned", { isPinned: true });
    expect(decide([busy, pinned])).toEqual({ do: "wait", keys: ["busy"] });
    expect(decide([pinned])).toEqual({ do: "refuse", memory: "host", bytes: 0 });
  });

  test("may lack a place, not memory", () => {
    const more = { free: { host: 9 * GIB }, tenantsMax: 2 };
    expect(decide([tenant("a"), tenant("b", { usedMs: 5 })], more)).toEqual({
      ...{ do: "end", keys: ["a"] },
    });
    expect(decide([tenant("a")], more)).toEqual({ do: "start" });
  });
});

test("of a guess: what needs more than there is starts once it is alone", () => {
  const more = { guessed: new Set(["host"]), need: { host: 9 * GIB } };
  expect(decide([], more)).toEqual({ do: "start" });
  expect(decide([tenant("a"), tenant("b")], more)).toEqual({ do: "end", keys: ["a", "b"] });
  expect(decide([tenant("a", { isBusy: true })], more)).toEqual({ do: "wait", keys: ["a"] });
});

test("is made in the memory that is short, not in another", () => {
  const onHost = tenant("on host", { memory: { host: 4 * GIB }, usedMs: 0 });
  const onDevice = tenant("on device", { memory: { GPU: 2 * GIB, host: 1 }, usedMs: 9000 });
  const need = { GPU: GIB, host: 10 };
  const free = { GPU: 0, host: 10 };
  expect(decide([onHost, onDevice], { need, free })).toEqual({ do: "end", keys: ["on device"] });
  expect(decide([onHost], { need, free })).toEqual({ do: "refuse", memory: "GPU", bytes: 0 });
  const together = { need, free: { GPU: 9 * GIB, host: 9 * GIB, all: 0 } };
  expect(decide([onHost, onDevice], together)).toEqual({ do: "end", keys: ["on host"] });
});

const memories = (min: number, max: number) =>
  fc.record({ host: fc.integer({ min, max }), GPU: fc.integer({ min, max }) });

test("what is ended is enough and not too much, and neither busy nor pinned", () => {
  const tenants = fc.uniqueArray(
    fc.record({
      ...{ key: fc.string({ minLength: 1 }), memory: memories(0, 100), usedMs: fc.nat(1000) },
      ...{ isBusy: fc.boolean(), isPinned: fc.boolean(), loadMs: fc.nat(1000) },
    }),
    { selector: ({ key }) => key, maxLength: 12 },
  );
  const question = fc.record({
    ...{ need: memories(0, 300), free: memories(-50, 100), tenants },
    ...{ tenantsMax: fc.integer({ min: 1, max: 12 }), nowMs: fc.constant(2000) },
    guessed: fc.constant(NONE),
  });
  fc.assert(
    fc.property(question, (asked) => {
      const decision = decideRoom(asked);
      const isEnough = (gone: readonly Tenant[]) =>
        asked.tenants.length - gone.length < asked.tenantsMax &&
        (["host", "GPU"] as const).every((name) => {
          const more = gone.reduce((sum, { memory }) => sum + (memory[name] ?? 0), 0);
          return asked.need[name] === 0 || asked.need[name] <= asked.free[name] + more;
        });
      const movable = asked.tenants.filter(({ isPinned }) => !isPinned);
      const idle = movable.filter(({ isBusy }) => !isBusy);
      expect(decision.do === "start").toBe(isEnough([]));
      expect(decision.do === "refuse").toBe(!isEnough([]) && !isEnough(movable));
      expect(decision.do === "end").toBe(!isEnough([]) && isEnough(idle));
      if (decision.do !== "end") return;
      const ended = asked.tenants.filter(({ key }) => decision.keys.includes(key));
      expect(ended).toHaveLength(decision.keys.length);
      expect(ended.some(({ isBusy, isPinned }) => isBusy || isPinned)).toBe(false);
      expect(isEnough(ended)).toBe(true);
      for (const one of ended) expect(isEnough(ended.filter((two) => two !== one))).toBe(false);
    }),
  );
});
