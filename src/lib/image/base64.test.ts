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
  const wrong = fc.constantFrom("!", "=", "é", "\0");
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

test.each([
  ["QUJDRA", "ABCD"],
  ["QQ=", "A"],
  ["QUJD\r\nRA==\n", "ABCD"],
  [" QUJ DRA", "ABCD"],
  ["Pz8_Pz4-", "???" + "?>>"],
])("what only strict readers refuse is read, and known: %j", (text, said) => {
  const decoded = decodeBase64(text);
  expect(decoded).toEqual({ bytes: Buffer.from(said), isExact: false });
});

test("a cut text and nothing at all are named", () => {
  expect(decodeBase64("QUJDR")).toEqual({ reason: expect.stringContaining("some are missing") });
  expect(decodeBase64("\n")).toEqual({ reason: expect.stringContaining("some are missing") });
  expect(decodeBase64("")).toEqual({ reason: "it is empty" });
});
