import { expect, test } from "bun:test";
import { tracedText } from "./trace.ts";

/** Of `src/a.ts`, whose third line, fifth column begins what is at the first line, column 10. */
const MAP = JSON.stringify({
  version: 3,
  sources: ["src/a.ts"],
  names: [],
  mappings: "SAEI",
});

test("places in an executable become places in the source", () => {
  const trace =
    "Error: no\n    at o (/$bunfs/root/llmlb-0.1.0-linux-x64:1:12)\n    at native:1:2\n";
  const expected = "Error: no\n    at o (src/a.ts:3:5)\n    at native:1:2\n";
  expect(tracedText(trace, MAP)).toBe(expected);
  const windows = "    at B:/~BUN/root/llmlb.exe:1:10";
  expect(tracedText(windows, MAP)).toBe("    at src/a.ts:3:5");
});

test("a place that is not in the map stays", () => {
  const trace = "    at /$bunfs/root/llmlb:1:1";
  expect(tracedText(trace, MAP)).toBe(trace);
});
