import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decideRemovals,
  decideSaves,
  type SaveQuestion,
  TOKENS_MIN,
  tokensWorthReading,
} from "./decision.ts";

const MIB = 2 ** 20;
const DISK = { bytesPerMs: MIB };
/** Computes 1000 tokens in a second, and reads 1 GiB in one. */
const READ = { usPerToken: 1000, ...DISK };

describe("how many tokens are worth reading a file", () => {
  test("as many as are computed in the time of reading", () => {
    // 5 ms, and one for each MiB
    expect(tokensWorthReading({ tokens: 4000, bytes: 500 * MIB }, READ)).toBe(505);
    expect(tokensWorthReading({ tokens: 4000, bytes: 50 * MIB }, READ)).toBe(TOKENS_MIN);
  });

  test("none if its prompt is computed in less time, or is short", () => {
    expect(tokensWorthReading({ tokens: 504, bytes: 500 * MIB }, READ)).toBeUndefined();
    expect(tokensWorthReading({ tokens: TOKENS_MIN - 1, bytes: 1 }, READ)).toBeUndefined();
    const fast = { ...READ, usPerToken: 10 };
    expect(tokensWorthReading({ tokens: 4000, bytes: 500 * MIB }, fast)).toBeUndefined();
  });

  test("none if the engine would answer nobody for long, or nothing is known of its speed", () => {
    expect(tokensWorthReading({ tokens: 90_000, bytes: 4000 * MIB }, READ)).toBeUndefined();
    const unknown = { ...READ, usPerToken: 0 };
    expect(tokensWorthReading({ tokens: 4000, bytes: MIB }, unknown)).toBeUndefined();
  });
});

const prompt = (key: string, mib: number, tokens = 4000) => ({ key, tokens, bytes: mib * MIB });
const decide = (prompts: SaveQuestion["prompts"], more: Partial<SaveQuestion> = {}) =>
  decideSaves({
    ...{ prompts, write: DISK, read: READ, withinMs: 1000, roomBytes: 1000 * MIB },
    ...more,
  }).map(({ key }) => key);

describe("of an engine's prompts are written", () => {
  test("those that are worth it, in their order", () => {
    expect(decide([prompt("a", 300), prompt("short", 1, 50), prompt("b", 300)])).toEqual([
      ...["a", "b"],
    ]);
  });

  test("no more than there is time for, or room; smaller ones behind a large one are", () => {
    const prompts = [prompt("a", 300), prompt("large", 800), prompt("b", 300)];
    expect(decide(prompts)).toEqual(["a", "b"]);
    expect(decide(prompts, { withinMs: 500 })).toEqual(["a"]);
    expect(decide(prompts, { roomBytes: 500 * MIB })).toEqual(["a"]);
    expect(decide(prompts, { withinMs: -1 })).toEqual([]);
  });
});

test("of kept files those go that were unused for longest, as few as will do", () => {
  const files = [
    { name: "new", bytes: 10, usedMs: 3 },
    { name: "old", bytes: 10, usedMs: 1 },
    { name: "middle", bytes: 10, usedMs: 2 },
  ];
  const gone = (wantedBytes: number, budgetBytes: number) =>
    decideRemovals(files, { wantedBytes, budgetBytes }).map(({ name }) => name);
  expect(gone(0, 30)).toEqual([]);
  expect(gone(1, 30)).toEqual(["old"]);
  expect(gone(15, 30)).toEqual(["old", "middle"]);
  expect(gone(50, 30)).toEqual(["old", "middle", "new"]);
});

test("what stays and what comes fit the budget, if what comes fits at all", () => {
  const files = fc.array(fc.record({ bytes: fc.nat(100), usedMs: fc.nat(100) }));
  fc.assert(
    fc.property(files, fc.nat(300), fc.nat(300), (all, budgetBytes, most) => {
      const wantedBytes = Math.min(most, budgetBytes);
      const gone = decideRemovals(all, { wantedBytes, budgetBytes });
      const sum = (some: typeof all) => some.reduce((total, { bytes }) => total + bytes, 0);
      const left = sum(all) - sum(gone);
      expect(left + wantedBytes).toBeLessThanOrEqual(budgetBytes);
      const last = gone.at(-1);
      if (last !== undefined) expect(left + last.bytes + wantedBytes).toBeGreaterThan(budgetBytes);
    }),
  );
});
