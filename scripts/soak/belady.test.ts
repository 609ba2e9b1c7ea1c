import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { batchedLoads, fewestLoads } from "./belady.ts";

describe("the fewest loads", () => {
  test("are one for each model where all have room", () => {
    expect(fewestLoads([..."abcabcabc"], 3)).toBe(3);
    expect(fewestLoads([], 3)).toBe(0);
  });

  test("end what is needed last, as in the textbook's example", () => {
    expect(fewestLoads([..."70120304230321201701"], 3)).toBe(9);
  });

  test("serve all who wait for a model at once", () => {
    // One after the other they would be four.
    expect(fewestLoads([..."abab"], 1)).toBe(4);
    expect(batchedLoads([["a"], ["b"], ["a"], ["b"]], 1)).toBe(2);
  });

  test("load what somebody has waited for longest", () => {
    // Whoever asks for `a` twice waits behind the one who asks for `b`.
    expect(batchedLoads([["a", "c", "a"], ["b"]], 1)).toBe(4);
  });
});

test("no order of ends needs fewer loads than the fewest", () => {
  const order = fc.array(fc.constantFrom(..."abcde"), { maxLength: 9 });
  fc.assert(
    fc.property(order, fc.integer({ min: 1, max: 3 }), (models, room) => {
      expect(fewestLoads(models, room)).toBe(best(models, room, []));
    }),
  );
});

/** By trying them all. */
function best(models: readonly string[], room: number, loaded: readonly string[]): number {
  const [first, ...rest] = models;
  if (first === undefined) return 0;
  if (loaded.includes(first)) return best(rest, room, loaded);
  if (loaded.length < room) return 1 + best(rest, room, [...loaded, first]);
  const ends = loaded.map((gone) => loaded.filter((one) => one !== gone));
  return 1 + Math.min(...ends.map((left) => best(rest, room, [...left, first])));
}
