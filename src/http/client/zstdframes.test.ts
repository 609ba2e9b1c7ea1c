import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { ZstdFrames } from "./zstdframes.ts";

const text = "some text ".repeat(50);
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 };

const FRAMES: Record<string, Buffer> = {
  short: zstdCompressSync(text),
  empty: zstdCompressSync(""),
  "with a checksum, without a size": zstdCompressSync(text, { params }),
  repeating: zstdCompressSync(Buffer.alloc(1_000_000)),
  "of several blocks": zstdCompressSync(randomBytes(300_000)),
  skippable,
};

/** Whether the bytes are whole, pushed in pieces of `size`. */
function isWhole(bytes: Uint8Array, size: number): boolean {
  const frames = new ZstdFrames();
  for (let at = 0; at < bytes.length; at += size) frames.push(bytes.subarray(at, at + size));
  return frames.isWhole;
}

test.each(Object.entries(FRAMES))("a frame is whole at its end, not before: %s", (_, frame) => {
  for (const size of [1, 7, frame.length]) expect(isWhole(frame, size)).toBe(true);
  const step = Math.ceil(frame.length / 200);
  for (let cut = 1; cut < frame.length; cut += step) {
    expect([cut, isWhole(frame.subarray(0, cut), 100)]).toEqual([cut, false]);
  }
  expect(isWhole(frame.subarray(0, -1), frame.length)).toBe(false);
});

test("frames follow each other", () => {
  const all = Buffer.concat(Object.values(FRAMES));
  expect(isWhole(all, 1000)).toBe(true);
  expect(isWhole(all.subarray(0, -1), 1000)).toBe(false);
});

test("what is no frame is left to the decoder", () => {
  expect(isWhole(Buffer.from("no frame at all"), 3)).toBe(true);
});
