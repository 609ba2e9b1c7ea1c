import { expect, test } from "bun:test";
import { chunksOf } from "./blocks.ts";

const partsOf = (text: string) =>
  chunksOf(text).flatMap(({ parts }) => parts.map((part) => [part.kind, part.text] as const));

test("an answer is cut at empty lines and at fenced code", () => {
  expect(partsOf("# One\n\ntwo\nthree\n\n```ts\na\n\nb\n```\nfour")).toEqual([
    ["markdown", "# One\n"],
    ["markdown", "two\nthree\n"],
    ["code", "a\n\nb"],
    ["markdown", "four"],
  ]);
});

test("a list with empty lines, indented paragraphs and code in it stays whole", () => {
  const list = "1. one\n\n   more\n\n   ```\n   code\n   ```\n\n2. two";
  expect(partsOf(list)).toEqual([["markdown", list]]);
});

test("code without its end is code, and has its language", () => {
  const [chunk] = chunksOf("~~~~ python title\nprint(1)\n~~~\n");
  expect(chunk?.parts).toEqual([
    {
      ...{ kind: "code", text: "print(1)\n~~~\n", language: "python" },
      source: "~~~~ python title\nprint(1)\n~~~\n",
    },
  ]);
});

test("as an answer grows, all chunks but the last stay the same", () => {
  const text = "A paragraph of words.\n\n- a\n- b\n\n```\ncode\n```\n\n".repeat(200);
  let before = chunksOf("");
  for (let end = 0; end <= text.length; end += 97) {
    const after = chunksOf(text.slice(0, end));
    const same = before.slice(0, -1).map(({ source }) => source);
    expect(after.slice(0, same.length).map(({ source }) => source)).toEqual(same);
    before = after;
  }
});

test("what is long is cut at ends of lines, and a table keeps its head", () => {
  const parts = partsOf(`| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(2000)}`);
  expect(parts.length).toBeGreaterThan(4);
  for (const [kind, text] of parts) {
    expect([kind, text.length < 4100]).toEqual(["markdown", true]);
    expect(text).toStartWith("| a | b |\n|---|---|\n| 1 | 2 |");
  }
  const words = partsOf("x".repeat(20_000));
  expect(words.map(([, text]) => text).join("")).toBe("x".repeat(20_000));
});

test("thousands of quotations in each other are not read", () => {
  expect(partsOf(`${"> ".repeat(500)}deep`)[0]?.[0]).toBe("plain");
  expect(partsOf("> > fine")[0]?.[0]).toBe("markdown");
});
