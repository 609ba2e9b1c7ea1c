import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { animatedWebp } from "../../testkit/animatedwebp.ts";
import { firstWebpFrame } from "./webpframe.ts";

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url));
}

const pngOf = (bytes: Uint8Array) => new Bun.Image(new Uint8Array(bytes)).png().bytes();

describe("the first frame of an animated WebP", () => {
  test.each([
    ["shape.webp", "lossy.webp"],
    ["lossy.webp", "shape.webp"],
  ])("is what %s shows", async (first, second) => {
    const animation = animatedWebp([fixture(first), fixture(second)]);
    expect(pngOf(animation)).rejects.toThrow();
    expect(await pngOf(firstWebpFrame(animation))).toEqual(await pngOf(fixture(first)));
  });

  test("is the file itself where there is none", () => {
    for (const name of ["shape.webp", "lossy.webp", "shape.png"]) {
      const file = fixture(name);
      expect(firstWebpFrame(file)).toBe(file);
    }
  });

  test("never throws, whatever the file is", () => {
    const animation = animatedWebp([fixture("shape.webp"), fixture("lossy.webp")]);
    fc.assert(
      fc.property(fc.nat(animation.length), fc.uint8Array({ maxLength: 100 }), (kept, rest) => {
        const bytes = Buffer.concat([animation.subarray(0, kept), rest]);
        expect(firstWebpFrame(bytes)).toBeInstanceOf(Uint8Array);
      }),
    );
  });
});
