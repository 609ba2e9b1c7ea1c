import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decideRoom, type RoomQuestion, type Tenant } from "./decision.ts";

const GIB = 2 ** 30;

const tenant = (key: string, more: Partial<Tenant> = {}): Tenant => ({
  ...{ key, bytes: GIB, isBusy: false, isPinned: false, usedMs: 0, loadMs: 1000 },
  ...more,
});
const decide = (tenants: Tenant[], more: Partial<RoomQuestion> = {}) =>
  decideRoom({
    ...{ needBytes: GIB, freeBytes: 0, isGuess: false, tenantsMax: 100 },
    nowMs: 10_000,
    tenants,
    ...more,
  });

describe("room for one more engine", () => {
  test("is there where enough is free", () => {
    expect(decide([tenant("a")], { freeBytes: GIB })).toEqual({ do: "start" });
    expect(decide([])).toEqual({ do: "refuse", bytes: 0 });
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
      tenant("small", { bytes: GIB / 4, usedMs: 0 }),
      tenant("large", { usedMs: 9000 }),
    ];
    expect(decide(tenants)).toEqual({ do: "end", keys: ["large"] });
  });

  test("is waited for while it is busy, and is not made of what is pinned", () => {
    const busy = tenant("busy", { isBusy: true });
    const pinned = tenant("pinned", { isPinned: true });
    expect(decide([busy, pinned])).toEqual({ do: "wait", keys: ["busy"] });
    expect(decide([pinned])).toEqual({ do: "refuse", bytes: 0 });
  });

  test("may lack a place, not memory", () => {
    const more = { freeBytes: 9 * GIB, tenantsMax: 2 };
    expect(decide([tenant("a"), tenant("b", { usedMs: 5 })], more)).toEqual({
      ...{ do: "end", keys: ["a"] },
    });
    expect(decide([tenant("a")], more)).toEqual({ do: "start" });
  });
});

test("of a guess: what needs more than there is starts once it is alone", () => {
  const more = { isGuess: true, needBytes: 9 * GIB };
  expect(decide([], more)).toEqual({ do: "start" });
  expect(decide([tenant("a"), tenant("b")], more)).toEqual({ do: "end", keys: ["a", "b"] });
  expect(decide([tenant("a", { isBusy: true })], more)).toEqual({ do: "wait", keys: ["a"] });
});

test("what is ended is enough and not too much, and neither busy nor pinned", () => {
  const tenants = fc.uniqueArray(
    fc.record({
      ...{ key: fc.string({ minLength: 1 }), bytes: fc.nat(100), usedMs: fc.nat(1000) },
      ...{ isBusy: fc.boolean(), isPinned: fc.boolean(), loadMs: fc.nat(1000) },
    }),
    { selector: ({ key }) => key, maxLength: 12 },
  );
  const question = fc.record({
    ...{ needBytes: fc.nat(300), freeBytes: fc.integer({ min: -50, max: 100 }), tenants },
    ...{ tenantsMax: fc.integer({ min: 1, max: 12 }), nowMs: fc.constant(2000) },
    isGuess: fc.constant(false),
  });
  fc.assert(
    fc.property(question, (asked) => {
      const decision = decideRoom(asked);
      if (decision.do !== "end") return;
      const ended = asked.tenants.filter(({ key }) => decision.keys.includes(key));
      expect(ended).toHaveLength(decision.keys.length);
      expect(ended.some(({ isBusy, isPinned }) => isBusy || isPinned)).toBe(false);
      const isEnough = (gone: Tenant[]) =>
        asked.tenants.length - gone.length < asked.tenantsMax &&
        asked.needBytes <= asked.freeBytes + gone.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(isEnough(ended)).toBe(true);
      for (const one of ended) expect(isEnough(ended.filter((two) => two !== one))).toBe(false);
    }),
  );
});
