import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PrefixIndex } from "./prefix.ts";

/** A fingerprint that begins like all others of the same first numbers. */
function print(...path: number[]): Float64Array {
  let chain = 0n;
  return Float64Array.from(path, (step) => {
    chain = Bun.hash.wyhash(String(step), chain);
    return Number(BigInt.asUintN(52, chain));
  });
}

test("endpoints that know a beginning are found, the longest first", () => {
  const index = new PrefixIndex<string>();
  index.record(print(1, 2), "a", 0);
  index.record(print(1, 2, 3, 4), "b", 0);
  index.record(print(1, 9), "c", 0);
  expect(index.match(print(1, 2, 3, 5), 0)).toEqual([
    { endpoint: "b", depth: 3 },
    { endpoint: "a", depth: 2 },
    { endpoint: "c", depth: 1 },
  ]);
  expect(index.match(print(7, 2, 3), 0)).toEqual([]);
  expect(index.match(print(), 0)).toEqual([]);
});

test("four endpoints are remembered per beginning, the latest", () => {
  const index = new PrefixIndex<string>();
  for (const endpoint of ["a", "b", "c", "a", "d", "e"]) index.record(print(1), endpoint, 0);
  const names = index.match(print(1), 0).map(({ endpoint }) => endpoint);
  expect(names).toEqual(["e", "d", "a", "c"]);
});

test("an endpoint that is forgotten is not found, until it is sent something again", () => {
  const index = new PrefixIndex<string>();
  index.record(print(1, 2), "a", 0);
  index.record(print(1), "b", 0);
  index.forget("a");
  index.forget("never known");
  expect(index.match(print(1, 2), 0)).toEqual([{ endpoint: "b", depth: 1 }]);
  index.record(print(1), "a", 0);
  expect(index.match(print(1, 2), 0).map(({ depth }) => depth)).toEqual([1, 1]);
});

test("what is old is no longer believed", () => {
  const index = new PrefixIndex<string>({ ageMsMax: 1000 });
  index.record(print(1), "a", 0);
  index.record(print(1), "b", 500);
  expect(index.match(print(1), 1000)).toHaveLength(2);
  expect(index.match(print(1), 1001)).toEqual([{ endpoint: "b", depth: 1 }]);
});

describe("when it is full", () => {
  test("its memory is what it was, and what is in use stays", () => {
    const index = new PrefixIndex<string>({ entriesMax: 4096 });
    const before = index.sizeBytes;
    const kept = print(1, 2, 3, 4, 5, 6, 7, 8);
    for (let i = 0; i < 100_000; i += 1) {
      index.record(print(1000 + i, 1, 2), "b", i);
      if (i % 100 === 0) index.record(kept, "a", i);
    }
    expect(index.sizeBytes).toBe(before);
    expect(index.match(kept, 100_000)).toEqual([{ endpoint: "a", depth: 8 }]);
    expect(index.match(print(1000), 100_000)).toEqual([]);
    expect(index.match(print(100_999), 100_000)).toHaveLength(1);
  });

  test("the default takes below 5 MiB", () => {
    expect(new PrefixIndex().sizeBytes).toBeLessThan(5 * 1024 * 1024);
  });
});

test("it finds for each endpoint what a list of all its prompts would", () => {
  const path = fc.array(fc.nat(2), { minLength: 1, maxLength: 6 });
  const sent = fc.array(fc.record({ path, endpoint: fc.constantFrom("a", "b", "c", "d") }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(sent, path, (records, wanted) => {
      const index = new PrefixIndex<string>();
      const depths = new Map<string, number>();
      for (const { path: other, endpoint } of records) {
        index.record(print(...other), endpoint, 0);
        const differs = wanted.findIndex((step, i) => other[i] !== step);
        const depth = differs === -1 ? wanted.length : differs;
        if (depth > (depths.get(endpoint) ?? 0)) depths.set(endpoint, depth);
      }
      const found = index.match(print(...wanted), 1000);
      expect(new Map(found.map(({ endpoint, depth }) => [endpoint, depth]))).toEqual(depths);
      expect(found.map(({ depth }) => depth)).toEqual([...depths.values()].sort((a, b) => b - a));
    }),
    { numRuns: 200 },
  );
});
