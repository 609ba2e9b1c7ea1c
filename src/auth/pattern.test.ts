import { expect, test } from "bun:test";
import { fitsAny } from "./pattern.ts";

test.each([
  ["qwen3-4b", "qwen3-4b", true],
  ["Qwen3-4B", "qwen3-4b", true],
  ["qwen3-4b", "qwen3-4b-instruct", false],
  ["*", "anything", true],
  ["", "a", false],
  ["hf/org/*", "hf/org/model", true],
  ["hf/org/*", "hf/other/model", false],
  ["*-instruct", "a-instruct", true],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["a.c", "abc", false],
])("%s on %s: %p", (pattern, name, fits) => {
  expect(fitsAny([pattern], name)).toBe(fits);
});

test("a pattern of many stars takes no longer than its name is long", () => {
  expect(fitsAny(["*a".repeat(100)], "a".repeat(99))).toBe(false);
});
