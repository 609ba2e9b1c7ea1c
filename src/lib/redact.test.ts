import { expect, test } from "bun:test";
import fc from "fast-check";
import { Redactor, redact } from "./redact.ts";

const PNG = Buffer.alloc(1000, 7).toString("base64");

test("a data URL becomes its type and size", () => {
  const body = JSON.stringify({ url: `data:image/png;base64,${PNG}`, text: "what is this?" });
  expect(redact(body)).toBe(
    '{"url":"data:image/png;<1000 bytes redacted>","text":"what is this?"}',
  );
});

test.each([
  ["padding", "data:image/png;base64,AA==", "data:image/png;<1 bytes redacted>"],
  [
    "parameters",
    "data:text/plain;charset=utf-8;base64,QUJD!",
    "data:text/plain;<3 bytes redacted>!",
  ],
  ["capitals", "DATA:image/png;base64,QUJD ", "data:image/png;<3 bytes redacted> "],
  ["no type", "data:;base64,QUJD", "data:;<3 bytes redacted>"],
  ["an escaped slash", '"data:image\\/png;base64,QU\\/D"', '"data:image/png;<3 bytes redacted>"'],
  ["no base64", '"data:image/svg+xml,%3Csvg%3E"', '"data:image/svg+xml;<9 bytes redacted>"'],
  ["markdown", "![a](data:image/gif;base64,QUJD) b", "![a](data:image/gif;<3 bytes redacted>) b"],
])("a data URL with %s", (_, text, redacted) => {
  expect(redact(text)).toBe(redacted);
});

test("bare base64 of some length is left out, wherever it stands", () => {
  expect(redact(`{"data":"${PNG}"}`)).toBe('{"data":"<1000 bytes redacted>"}');
  expect(redact(`{"data":"${PNG.slice(0, 512)}"}`)).toContain(PNG.slice(0, 512));
});

test.each([
  'data: {"choices":[{"delta":{"content":"a, b"}}]}\n\ndata: [DONE]\n\n',
  "see data:, or data,data: x",
  '{"data":[1,2,3]}',
  "日本語, ünï",
  ",",
  "",
])("text stays as it is: %p", (text) => {
  expect(redact(text)).toBe(text);
});

test("a long body is cut between characters and says so", () => {
  expect(redact("abcdef", { bytesMax: 6 })).toBe("abcdef");
  expect(redact("abcdefg", { bytesMax: 6 })).toBe("abcdef… [cut: 7 bytes in all]");
  expect(redact("ab日本", { bytesMax: 6 })).toBe("ab日… [cut: 8 bytes in all]");
});

test("what comes after an image larger than the limit is still kept", () => {
  const image = Buffer.alloc(3_000_000).toString("base64");
  const kept = redact(`[data:image/png;base64,${image}] end`, { bytesMax: 100 });
  expect(kept).toBe("[data:image/png;<3000000 bytes redacted>] end");
});

test("the result does not depend on how the body is cut into pieces", () => {
  const parts = fc.constantFrom(
    ...[
      "data:",
      "image/png",
      ";base64,",
      ",",
      "\\/",
      '"',
      "ab=",
      PNG,
      "é日",
      "\\",
      "/",
      "data:a/b,%20",
    ],
  );
  const body = fc.array(parts, { maxLength: 12 }).map((list) => list.join(""));
  const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(body, sizes, (text, cuts) => {
      const bytes = new TextEncoder().encode(text);
      const redactor = new Redactor({ bytesMax: 1500 });
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const size = cuts[i % cuts.length] ?? 1;
        redactor.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(redactor.end()).toBe(redact(bytes, { bytesMax: 1500 }));
    }),
    { numRuns: 300 },
  );
});
