import { describe, expect, test } from "bun:test";
import {
  parseExactObject,
  parseJson,
  parseObject,
  readExactJson,
  withExactDigits,
} from "./json.ts";

test("parseJson is undefined for what is no JSON", () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson("null")).toBeNull();
  for (const text of ["", "{", "<html>", "undefined"]) expect(parseJson(text)).toBeUndefined();
});

test("a byte order mark in front is passed over", () => {
  const [plain, long] = ['\uFEFF{"a":[1]}', '\uFEFF{"a":[9007199254740993]}'];
  expect([parseJson(plain), readExactJson(plain)]).toEqual([{ a: [1] }, { a: [1] }]);
  expect(JSON.stringify(readExactJson(long))).toBe(long.slice(1));
  expect(JSON.stringify(parseExactObject(long))).toBe(long.slice(1));
});

test("parseObject is undefined for what is no object", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  for (const text of ["[]", "1", '"a"', "null", "{"]) expect(parseObject(text)).toBeUndefined();
});

describe("exact digits", () => {
  const long = '{"a":{"n":9007199254740993,"m":[-18446744073709551615, 1.5, 7, 1e3]},"b":"x"}';

  test("of integers are kept by who only carries them", () => {
    const exact = long.replace(" ", "").replace("1e3", "1000").replace(" ", "").replace(" ", "");
    expect(JSON.stringify(readExactJson(long))).toBe(exact);
    expect(JSON.stringify(parseExactObject(long))).toBe(exact);
    const bytes = new TextEncoder().encode(long);
    expect(JSON.stringify(withExactDigits({ bytes, value: JSON.parse(long) }))).toBe(exact);
  });

  test("are numbers at the top, where somebody reckons with them", () => {
    expect(readExactJson('{"created":18446744073709551615}')).toEqual({ created: 2 ** 64 });
  });

  test("are kept at the top, too, of a seed", () => {
    const text = '{"seed":18446744073709551615,"messages":[]}';
    expect(JSON.stringify(readExactJson(text))).toBe(text);
  });

  test("change nothing where there are none", () => {
    const value = { a: [1234567890123, 0.1234567890123456, "1234567890123456"] };
    const text = JSON.stringify(value);
    expect(readExactJson(text)).toEqual(value);
    expect(withExactDigits({ bytes: new TextEncoder().encode(text), value })).toBe(value);
    expect(readExactJson("null")).toBeNull();
    expect(() => readExactJson("{")).toThrow();
    for (const no of ["{", "[]", "1"]) expect(parseExactObject(no)).toBeUndefined();
  });
});

test("a number alone is a number and no object, however many digits it has", () => {
  expect(readExactJson(" 9007199254740993")).toBe(9007199254740992);
  expect(parseExactObject(" 9007199254740993")).toBeUndefined();
});
