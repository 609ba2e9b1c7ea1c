import { expect, test } from "bun:test";
import { parseJson, parseObject } from "./json.ts";

test("parseJson is undefined for what is no JSON", () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson("null")).toBeNull();
  for (const text of ["", "{", "<html>", "undefined"]) expect(parseJson(text)).toBeUndefined();
});

test("parseObject is undefined for what is no object", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  for (const text of ["[]", "1", '"a"', "null", "{"]) expect(parseObject(text)).toBeUndefined();
});
