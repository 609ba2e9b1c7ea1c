import { describe, expect, test } from "bun:test";
import { JSON_DEPTH_MAX, parseJsonObject } from "./json.ts";

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text), ["model"]);
const nested = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

describe("parseJsonObject", () => {
  test("returns the object", () => {
    expect(parse('{"model":"m","x":[1,{"model":"inner"}]}')).toEqual({
      model: "m",
      x: [1, { model: "inner" }],
    });
  });

  test.each([
    ["an empty body", ""],
    ["a cut object", '{"model":'],
    ["an array", "[1]"],
    ["null", "null"],
    ["a string", '"model"'],
    ["a number", "1e999"],
    ["NaN", '{"model":NaN}'],
    ["a comment", '{"model":"m"} // note'],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "invalid_json" }));
  });

  test("refuses bytes that are not UTF-8", () => {
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    expect(() => parseJsonObject(bytes, [])).toThrow("it is not UTF-8");
  });

  test("refuses nesting beyond the limit and no earlier", () => {
    expect(parse(nested(JSON_DEPTH_MAX))).toBeObject();
    expect(() => parse(nested(JSON_DEPTH_MAX + 1))).toThrow("nested deeper");
    expect(() => parse(nested(1_000_000))).toThrow("nested deeper");
  });

  test.each([
    ["twice", '{"model":"a","model":"b"}'],
    ["twice with escapes", '{"model":"a","\\u006dodel":"b"}'],
    ["twice around other values", '{"model" : "a","x":{"model":[]},"s":"\\"}","model":"b"}'],
  ])("refuses a decisive key given %s", (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "duplicate_key" }));
  });

  test.each([
    ["inside other values", '{"model":"a","x":[{"model":"b"},"model"],"y":"\\"model\\":"}'],
    ["as a value", '{"model":"model","z":"\\u0041"}'],
  ])("accepts the name of a decisive key %s", (_, text) => {
    expect(parse(text)).toBeObject();
  });
});
