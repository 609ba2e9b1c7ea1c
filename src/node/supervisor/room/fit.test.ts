import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type FitQuestion, planFit } from "./fit.ts";
import { fitsInto, totalOf } from "./memory.ts";

/** Weights of 1000 bytes on a device, and one byte there for each token. */
const plan = (most: Record<string, number>, more: Partial<FitQuestion> = {}) =>
  planFit({
    memoryOf: (tokens) => ({ GPU: 1000 + tokens, host: 10 }),
    ...{ wishedTokens: 32_768, leastTokens: 4096, mayShorten: true, mayMoveLayers: true, most },
    ...more,
  });

describe("an engine is started", () => {
  test("as it should be where that fits", () => {
    expect(plan({ GPU: 40_000, host: 10 })).toEqual({
      ...{ contextTokens: 32_768, need: { GPU: 33_768, host: 10 }, movesLayers: false },
    });
  });

  test("with the longest context that fits on the device", () => {
    expect(plan({ GPU: 10_000, host: 99_999 })).toMatchObject({
      ...{ contextTokens: 8960, movesLayers: false },
    });
  });

  test("with its whole context and fewer layers there where not even the least fits", () => {
    expect(plan({ GPU: 3000, host: 99_999 })).toEqual({
      ...{ contextTokens: 32_768, need: { GPU: 3000, host: 30_778 }, movesLayers: true },
    });
  });

  test("with both where the host has not enough either", () => {
    expect(plan({ GPU: 3000, host: 5000 })).toMatchObject({
      ...{ contextTokens: 6912, movesLayers: true },
    });
  });

  test("with less of neither where the settings do not allow it", () => {
    const kept = plan({ GPU: 3000, host: 99_999 }, { mayMoveLayers: false });
    expect(kept).toMatchObject({ contextTokens: 4096, movesLayers: false });
    const whole = plan({ GPU: 10_000, host: 99_999 }, { mayShorten: false });
    expect(whole).toMatchObject({ contextTokens: 32_768, movesLayers: true });
    const neither = plan({ GPU: 10, host: 10 }, { mayMoveLayers: false, mayShorten: false });
    expect(neither.contextTokens).toBe(32_768);
  });

  test("within one sum where that is all that is bounded", () => {
    expect(plan({ all: 20_000 })).toMatchObject({ contextTokens: 18_944, movesLayers: false });
  });
});

test("a plan fits if any allowed one does, and takes all the context that it can", () => {
  const most = fc.record({ GPU: fc.nat(60_000), host: fc.nat(60_000) });
  const flags = fc.record({ mayShorten: fc.boolean(), mayMoveLayers: fc.boolean() });
  fc.assert(
    fc.property(most, flags, (had, may) => {
      const { contextTokens, need } = plan(had, may);
      const least = may.mayShorten ? 4096 : 32_768;
      const together = 1010 + least <= had.GPU + had.host && had.host >= 10;
      const apart = 1000 + least <= had.GPU && had.host >= 10;
      expect(fitsInto(need, had)).toBe(may.mayMoveLayers ? together : apart);
      expect(totalOf(need)).toBe(1010 + contextTokens);
      if (!fitsInto(need, had) || contextTokens === 32_768 || need.GPU === undefined) return;
      const more = need.GPU + (need.host ?? 0) + 256;
      expect(more > had.GPU + had.host || need.GPU + 256 > had.GPU).toBe(true);
    }),
  );
});
