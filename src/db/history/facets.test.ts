import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Facets, facetMask, facetsOf } from "./facets.ts";

const text = fc.option(fc.string());
const facets = fc.record({
  ...{ model: text, endpointId: text, apiKeyId: text, userId: text, clientIp: text, client: text },
  requestType: text,
  httpStatus: fc.option(fc.integer({ min: 100, max: 599 })),
  succeeded: fc.boolean(),
});

/** SQLite computes with 64 bits. */
const fits = (stored: number, { mask, bits }: { mask: number; bits: number }) =>
  (BigInt(stored) & BigInt(mask)) === BigInt(bits);

test("a request has the bits of each of its facets, alone and together", () => {
  fc.assert(
    fc.property(facets, (request) => {
      const stored = facetsOf(request);
      expect(Number.isSafeInteger(stored)).toBe(true);
      for (const name of Object.keys(request) as (keyof Facets)[]) {
        if (request[name] === null) continue;
        expect(fits(stored, facetMask({ [name]: request[name] }))).toBe(true);
      }
      const present = Object.fromEntries(
        Object.entries(request).filter(([, value]) => value !== null),
      );
      expect(fits(stored, facetMask(present))).toBe(true);
    }),
  );
});

test("few other requests have them", () => {
  const wanted = facetMask({ model: "llama", endpointId: "gpu1" });
  const others = Array.from({ length: 10_000 }, (_, i) =>
    facetsOf({ model: `m${i % 100}`, endpointId: `e${i % 77}`, succeeded: true }),
  );
  expect(others.filter((stored) => fits(stored, wanted)).length).toBeLessThan(50);
  expect(fits(facetsOf({ succeeded: false }), facetMask({ succeeded: true }))).toBe(false);
});
