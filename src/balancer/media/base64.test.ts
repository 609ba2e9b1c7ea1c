import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeBase64, decodedBytes } from "./base64.ts";

test("what base64 encodes comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      fc.pre(bytes.length > 0);
      const text = Buffer.from(bytes).toString("base64");
      expect(decodedBytes(text)).toBe(bytes.length);
      const decoded = decodeBase64(text);
      expect("bytes" in decoded && decoded.bytes.equals(bytes)).toBe(true);
    }),
  );
});

test("one wrong character anywhere is found and named", () => {
  const wrong = fc.constantFrom("!", "-", "_", "=", " ", "\n", "é", "\0");
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3 }), fc.nat(), wrong, (bytes, place, character) => {
      const text = Buffer.from(bytes).toString("base64").replace(/=+$/, "").slice(0, -1);
      const at = place % text.length;
      const broken = text.slice(0, at) + character + text.slice(at);
      const decoded = decodeBase64(broken.padEnd(Math.ceil(broken.length / 4) * 4, "A"));
      const shown = JSON.stringify(character);
      expect(decoded).toEqual({ reason: `${shown} at position ${at} is not allowed` });
    }),
  );
});

test("missing padding and nothing at all are named", () => {
  expect(decodeBase64("QUJDRA")).toEqual({ reason: expect.stringContaining("multiple of 4") });
  expect(decodeBase64("QQ=")).toEqual({ reason: expect.stringContaining("multiple of 4") });
  expect(decodeBase64("")).toEqual({ reason: "it is empty" });
});
