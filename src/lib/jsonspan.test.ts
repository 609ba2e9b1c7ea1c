import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { memberSpan, replaceSpan } from "./jsonspan.ts";

function member(text: string, name: string): string | undefined {
  const bytes = Buffer.from(text);
  const span = memberSpan(bytes, name);
  return span === undefined ? undefined : bytes.subarray(span.start, span.end).toString();
}

describe("a member of a JSON object", () => {
  test.each([
    ['{"model":"a"}', '"a"'],
    [' { "x" : {"model":"no"}, "model" : "a\\"b\\\\" } ', '"a\\"b\\\\"'],
    ['{"text":"\\"model\\":1","model":12.5e3}', "12.5e3"],
    ['{"model":{"a":["}"]},"b":1}', '{"a":["}"]}'],
    ['{"model":null}', "null"],
    ['{"mod\\u0065l":1}', "1"],
    ['{"mod\\u0066l":1}', undefined],
    ['["model",1]', undefined],
    ['{"other":1}', undefined],
    ["{}", undefined],
    ['{"model"', undefined],
    ["", undefined],
  ])("of %s is %s", (text, value) => {
    expect(member(text, "model")).toBe(value);
  });

  test("is found in whatever object, and can be replaced without touching the rest", () => {
    const spaces = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), spaces, (a, b, s) => {
        const { model: _, ...rest } = a;
        const text = JSON.stringify({ ...rest, model: "old", z: rest }, undefined, s);
        const bytes = Buffer.from(text);
        const span = memberSpan(bytes, "model");
        if (span === undefined) throw new Error(`no member in ${text}`);
        const replaced = replaceSpan(bytes, span, JSON.stringify(b)).toString();
        expect(JSON.parse(replaced)).toEqual(
          JSON.parse(JSON.stringify({ ...rest, model: b, z: rest })),
        );
      }),
    );
  });
});
