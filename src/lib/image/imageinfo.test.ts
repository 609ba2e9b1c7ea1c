import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { pngChunk, pngFile } from "../../testkit/images.ts";
import { extentOf, inspectImage } from "./imageinfo.ts";

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url));
}

const FILES = [
  ["shape.png", "image/png"],
  ["shape.jpg", "image/jpeg"],
  ["shape.gif", "image/gif"],
  ["shape.webp", "image/webp"],
  ["lossy.webp", "image/webp"],
] as const;

describe.each(FILES)("%s", (name, type) => {
  const file = fixture(name);

  test("is known by its bytes, with its extent", () => {
    const image = { kind: "image", type, extent: { width: 100, height: 100 } };
    expect(inspectImage(file) as object).toEqual(image);
    // Some programs leave something behind the end.
    expect(inspectImage(Buffer.concat([file, Buffer.from("trailer")]))).toEqual(inspectImage(file));
  });

  test("is broken when it is cut anywhere behind its beginning", () => {
    // A GIF whose last byte is missing has all its pixels.
    for (let length = 12; length < file.length - 1; length += 1) {
      expect(inspectImage(file.subarray(0, length)).kind).toBe("broken");
    }
  });

  test("never ends anything but reading, whatever follows its beginning", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.uint8Array({ maxLength: 200 }), (kept, rest) => {
        const bytes = Buffer.concat([file.subarray(0, 12 + kept), rest]);
        expect(["broken", "image"]).toContain(inspectImage(bytes).kind);
      }),
    );
  });
});

test("garbage behind a good beginning is broken", () => {
  for (const [name, type] of FILES) {
    const bytes = Buffer.concat([fixture(name).subarray(0, 12), Buffer.alloc(500, 0x41)]);
    expect(inspectImage(bytes)).toMatchObject({ kind: "broken", type });
  }
});

test("a changed byte in a PNG is found by its checksum", () => {
  const file = fixture("shape.png");
  const at = file.indexOf("IDAT") + 10;
  file.writeUInt8((file[at] ?? 0) ^ 1, at);
  expect(inspectImage(file)).toMatchObject({
    kind: "broken",
    reason: expect.stringMatching("checksum"),
  });
});

test("a small file that claims a vast image is refused, and so is one without pixels", () => {
  const gif = fixture("shape.gif");
  gif.writeUInt16LE(0xffff, 6);
  gif.writeUInt16LE(0xffff, 8);
  expect(inspectImage(gif)).toMatchObject({
    kind: "broken",
    reason: expect.stringMatching("65535"),
  });
  gif.writeUInt16LE(0, 8);
  expect(inspectImage(gif)).toMatchObject({ kind: "broken", reason: "it has no pixels" });
});

test("other files are unknown", () => {
  const tiff = Buffer.from("II*\0\x08\0\0\0");
  const svg = Buffer.from("<svg/>");
  for (const bytes of [
    tiff,
    svg,
    Buffer.from("BM"),
    Buffer.alloc(0),
    Buffer.from("RIFF1234WAVE"),
  ]) {
    expect(inspectImage(bytes)).toEqual({ kind: "unknown" });
  }
});

test("a file of more parts than an image has is broken, and not read to its end", () => {
  const pixels = pngChunk("IDAT", Buffer.alloc(1));
  const comments = (count: number) =>
    Array.from({ length: count }, () => pngChunk("tEXt", Buffer.alloc(0)));
  expect(inspectImage(pngFile(9, 9, [...comments(1000), pixels])).kind).toBe("image");
  expect(inspectImage(pngFile(9, 9, [...comments(70_000), pixels]))).toMatchObject({
    kind: "broken",
    reason: expect.stringMatching("parts"),
  });
  const gif = fixture("shape.gif");
  const at = 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1);
  const extensions = Buffer.alloc(3 * 70_000, Buffer.from([0x21, 0xfe, 0]));
  const long = Buffer.concat([gif.subarray(0, at), extensions, gif.subarray(at)]);
  expect(inspectImage(long)).toMatchObject({
    kind: "broken",
    reason: expect.stringMatching("parts"),
  });
});

test.each(FILES.slice(0, 3))("the extent of %s is read of its first bytes", (name) => {
  const file = fixture(name);
  expect(extentOf(file.subarray(0, Math.ceil(file.length / 2)))).toEqual({
    width: 100,
    height: 100,
  });
  expect(extentOf(file.subarray(0, 5))).toBeUndefined();
  expect(extentOf(Buffer.from("text"))).toBeUndefined();
});
