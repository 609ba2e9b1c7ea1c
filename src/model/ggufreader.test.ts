import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { ggufBytes } from "../testkit/modelsfolder.ts";
import { GgufFormatError, GgufTruncatedError, parseGguf } from "./gguf.ts";
import { readGguf, readGgufFile } from "./ggufreader.ts";
import { hyperparametersOf } from "./hyperparameters.ts";

const TINY = join(import.meta.dir, "../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");

test("the tiny model is read as it is", async () => {
  const metadata = await readGgufFile(TINY);
  const found = hyperparametersOf(metadata);
  expect(found).toMatchObject({ trainedContext: 2048, embedding: 256, vocabulary: 1152 });
  expect(found?.layers).toHaveLength(6);
  expect(found?.layers[0]).toEqual({ keys: 64, values: 64, sliding: false, state: 0 });
});

test("a header is read by ranges, as far as it goes", async () => {
  const bytes = await Bun.file(TINY).bytes();
  const asked: [number, number][] = [];
  const metadata = await readGguf(async (offset, length) => {
    asked.push([offset, length]);
    return bytes.subarray(offset, offset + length);
  });
  expect(metadata.get("llama.block_count")).toBe(6);
  expect(asked).toEqual([[0, 262_144]]);
  const cut = readGguf(async (offset) => bytes.subarray(offset, 2000));
  expect(await cut.catch((error: unknown) => String(error))).toContain("ends within its header");
});

test("a damaged file is read or refused, and never more than it has", () => {
  const whole = ggufBytes({
    "general.architecture": "llama",
    "llama.block_count": 2,
    "a.b": [1, 2],
  });
  const place = fc.nat(whole.length - 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(place, fc.nat(255))), place, (changes, cut) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        parseGguf(bytes.subarray(0, whole.length - cut));
      } catch (error) {
        const expected = error instanceof GgufFormatError || error instanceof GgufTruncatedError;
        expect(expected).toBe(true);
      }
    }),
  );
});
