import { expect, test } from "bun:test";
import { jsonWithEscapedControls, jsonWithoutControls, withoutControls } from "./controls.ts";

const HOSTILE = "a\x1b[2J\x07b\x9b31mc\rd\u202ee\u2066f\x7fg\x00h";

test("text for a terminal has no control characters but tabs and newlines", () => {
  expect(withoutControls(HOSTILE)).toBe("a[2Jb31mcdefgh");
  expect(withoutControls("a\tb\nc äöü 漢字 👍🏽")).toBe("a\tb\nc äöü 漢字 👍🏽");
});

test("so have the strings in a JSON text, whose backslashes stay", () => {
  const value = { [HOSTILE]: HOSTILE, path: "C:\\u001b\\r\\b", quote: '\\"', text: "a\tb\nc" };
  const cleaned = JSON.parse(jsonWithoutControls(JSON.stringify(value)));
  const clean = withoutControls(HOSTILE);
  expect(cleaned).toEqual({ ...value, [HOSTILE]: undefined, [clean]: clean });
});

test("what JSON leaves raw is escaped for logs, and means the same", () => {
  const value = { text: "\u007f\u009b31m\u2028\u202eabc ü 😀\n\t\\" };
  const json = jsonWithEscapedControls(JSON.stringify(value));
  expect(json).toBe('{"text":"\\u007f\\u009b31m\\u2028\\u202eabc ü 😀\\n\\t\\\\"}');
  expect(JSON.parse(json)).toEqual(value);
});
