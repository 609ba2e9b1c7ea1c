import { describe, expect, test } from "bun:test";
import { grammarPattern } from "./grammarpattern.ts";

function written(pattern: string): string {
  const result = grammarPattern(pattern);
  if ("problem" in result) throw new Error(result.problem);
  return result.pattern;
}

/** What a grammar of the written pattern takes: the text of a value in JSON, without its quotes. */
function takes(pattern: string, value: string): boolean {
  const own = written(pattern).replaceAll(/\\U(\d{8})|\\U([\dA-F]{8})/g, "\\u{$1$2}");
  return new RegExp(own, "u").test(JSON.stringify(value).slice(1, -1));
}

/** With the flag `u` where the pattern allows it. */
function regularExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
}

const VALUES = [
  ...["", "a", "aa", "ab", "b", "abc", "A", "Z9", "_", "-", "1", "12", "1234", "12345", "x1234y"],
  ...["a/b", "a!", "a b", " ", "\t", "\n", '"', "\\", 'say "x"', "a\\b", "{", "}", "[", "]", "."],
  ...["ä", "Ω", "漢字", "é", "😀", "a.b", "a+b", "2026-01-02", "a@b.de", "$5", "^", "\u00a0"],
];

describe("a pattern for the grammar", () => {
  test.each([
    ...["^\\d{4}$", "^\\w+$", "^\\s*$", "[0-9]{4}", "^a\\/b$", "^a\\!$", "^\\p{L}+$", "^[^a]$"],
    ...["^.*$", ".", "", "a|b", "^a|b$", "^(a|b)$", "^(?:ab?)+$", "^(?<n>a)(b|)$", "^a{0}b$"],
    ...["^[\\d\\w.-]+$", "^[^\\s]+$", "^\\S+@\\S+\\.\\S+$", "^\\D$", "^\\W$", '"', "\\\\"],
    ...["^[\\p{Lu}\\d]+$", "^\\P{L}$", "^[^\\p{L}]$", "^\\u0061\\x62?$", "^[\\]\\[\\-^]$", "^{$"],
    ...["^\\d{4}-\\d{2}-\\d{2}$", "^[a-zA-Z_$][\\w$]*$", "^a{2,}$", "^a{1,2}?$", "^\\$\\d$"],
    ...["(^a$|^b$)", "^[\\w-.]+$", "^\\t$", "^\\n{2}$", "^\\u{1F600}$"],
  ])("takes the same values of many: %s", (pattern) => {
    const meant = regularExpression(pattern);
    // Of properties, only the characters of the basic plane are known.
    const values = VALUES.filter((value) => !/\\p/i.test(pattern) || !value.includes("😀"));
    for (const value of values) {
      expect([value, takes(pattern, value)]).toEqual([value, meant.test(value)]);
    }
  });

  test("stays as it is where llama.cpp knows it", () => {
    expect(written("^[0-9]{4}$")).toBe("^[0-9]{4,4}$");
    expect(written("^abc$")).toBe("^abc$");
  });

  test.each([
    ["^(?=a)a$", "looks ahead"],
    ["^(?<!a)b$", "looks ahead or behind"],
    ["\\bword\\b", "word boundary"],
    ["^(a)\\1$", "refers back"],
    ["a^b", "anchor inside"],
    ["^a{3000}$", "more than 2000"],
    ["[", "no regular expression"],
    ["^[]$", "no characters"],
    [`^${"[a-z]?".repeat(100)}$`, "optional parts in a row"],
    [`^${"(".repeat(100)}a${")".repeat(100)}$`, "nested too deeply"],
    ["x".repeat(5000), "characters"],
    ["^\\cA$", "control letter"],
  ])("does not exist: %#", (pattern, problem) => {
    const result = grammarPattern(pattern);
    expect("problem" in result && result.problem).toContain(problem);
  });
});
