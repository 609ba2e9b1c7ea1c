import { expect, test } from "bun:test";
import { displayable } from "./output.ts";
import { table } from "./table.ts";

const HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9b5md\u202ee";

test("what is printed has no control sequence but our colours on a terminal", () => {
  const red = `\x1b[31m${HOSTILE}\x1b[39m\n`;
  expect(displayable(red, { isTTY: true })).toBe("\x1b[31ma]0;titleb[2Jc5mde\x1b[39m\n");
  expect(displayable(red, {})).toBe("[31ma]0;titleb[2Jc5mde[39m\n");
});

test("a cell of a table is one line, whatever it holds", () => {
  expect(table([["name\nfake  row\tx", "b"]])).toEqual(["name fake  row x  b"]);
});
