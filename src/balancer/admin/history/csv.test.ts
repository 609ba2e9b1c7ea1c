import { expect, test } from "bun:test";
import { csvLine } from "./csv.ts";

test("cells are quoted where they must be", () => {
  expect(csvLine(["a", 1.5, true, null, ""])).toBe("a,1.5,true,,\r\n");
  expect(csvLine(['say "x"', "a,b", "a\nb", " a"])).toBe('"say ""x""","a,b","a\nb", a\r\n');
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '="a"'])(
  "a spreadsheet takes %j for no formula",
  (text) => {
    expect(csvLine([text])).toBe(`"'${text.replaceAll('"', '""')}"\r\n`);
  },
);

test("numbers are numbers, also below zero", () => {
  expect(csvLine([-1, 0])).toBe("-1,0\r\n");
});
