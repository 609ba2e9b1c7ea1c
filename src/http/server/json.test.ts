import { describe, expect, test } from "bun:test";
import { JSON_DEPTH_MAX, parseJsonObject } from "./json.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => {
  const parsed = parseJsonObject(bytesOf(text), ["model"]);
  if (parsed instanceof Promise) throw new Error("It was expected to be parsed at once.");
  return parsed.json;
};
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
    expect(() => parse(nested(100_000))).toThrow("nested deeper");
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

describe("a large body", () => {
  const large = (fields: string) => parseJsonObject(bytesOf(`{"model":"a",${fields}}`), ["model"]);
  const text = "b`".repeat(200_000);

  test("is the same object, read in many turns", async () => {
    const x = [text, { model: "inner" }];
    const parsed = large(`"x":${JSON.stringify(x)}`);
    expect(parsed).toBeInstanceOf(Promise);
    expect(await parsed).toEqual({ json: { model: "a", x }, isExact: true });
  });

  test.each([
    ["a decisive key twice", `"x":"${text}","model":"b"`, "duplicate_key"],
    ["one of them with escapes", `"x":"${text}","\\u006dodel":"b"`, "duplicate_key"],
    ["both before other values", `"model":"b","x":"${text}\\u0060"`, "duplicate_key"],
    ["no JSON", `"x":"${text}",`, "invalid_json"],
    ["deep nesting", `"x":"${text}","y":${"[".repeat(100_000)}`, "invalid_json"],
    ["a million names", `"x":{${'"a":1,'.repeat(1_000_000)}"b":1}`, "invalid_json"],
    // Each would be an object of its own.
    ["many long integers", `"x":[${"12345678901234567890,".repeat(250_000)}1]`, "invalid_json"],
  ])("is refused for %s", (_, fields, code) => {
    expect(large(fields)).rejects.toMatchObject({ status: 400, code });
  });

  test("lets others have their turns", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    await Promise.all([
      large(`"x":[${"1.2345678901,".repeat(1_500_000)}1]`),
      large(`"x":"${text}"`),
    ]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});
