import { expect, test } from "bun:test";
import {
  cleaned,
  fieldRows,
  fieldsText,
  lineKey,
  lineOfKey,
  lineText,
  piecesOf,
  stampOf,
} from "./text.ts";

test.each([
  ["\x1b[1;31mred\x1b[0m text", "red text"],
  ["\x1b]0;title\x07shown", "shown"],
  ["\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"],
  ["\x9b2Jgone", "gone"],
  ["bell\x07, back\x08, turned \u202egnp.exe", "bell, back, turned gnp.exe"],
  ["a\tb\nc <b>d</b>", "a\tb\nc <b>d</b>"],
])("%j is shown as %j", (text, expected) => {
  expect(cleaned(text)).toBe(expected);
});

test("fields are told in one line, each of them not too long", () => {
  const fields = {
    pid: 1,
    request_id: "req_1",
    model: "qwen",
    text: "two\nlines",
    n: 3,
    list: [1],
    long: "x".repeat(999),
  };
  const text = fieldsText(fields);
  expect(text).toStartWith('model=qwen text="two\\nlines" n=3 list=[1] long=xxx');
  expect(text).toEndWith("… request_id=req_1");
  expect(text.length).toBeLessThan(400);
  const line = { timestamp: "2026-01-31T12:00:00.000Z", level: "warn" as const, target: "a" };
  expect(lineText({ ...line, message: "a.b", fields: { c: "\x1b[31md" } })).toBe(
    "2026-01-31T12:00:00.000Z WARN  a.b c=d",
  );
});

test("fields of objects have dotted names, down to a depth", () => {
  const err = { type: "Error", message: "no", cause: { a: { b: { c: 1 } } } };
  expect(fieldRows({ err, list: [1, { a: 2 }], none: null })).toEqual([
    ["err.type", "Error"],
    ["err.message", "no"],
    ["err.cause.a.b", '{"c":1}'],
    ["list", '[1,{"a":2}]'],
    ["none", "null"],
  ]);
});

test("what is searched is found in any case, and nothing is lost", () => {
  expect(piecesOf("Ab a", "A")).toEqual([
    { text: "A", isFound: true },
    { text: "b ", isFound: false },
    { text: "a", isFound: true },
  ]);
  expect(piecesOf("Ab", " ")).toEqual([{ text: "Ab", isFound: false }]);
  expect(piecesOf("İx", "x")).toEqual([{ text: "İx", isFound: false }]);
});

test("a time is told with its milliseconds, and one that is none as it is", () => {
  expect(stampOf("soon")).toEqual({ day: "", time: "soon", ms: "" });
  expect(stampOf("2026-03-04T05:06:07.089Z")).toEqual({
    day: expect.stringMatching(/^03-0[345]$/),
    ...{ time: expect.stringMatching(/^\d\d:\d\d:07$/), ms: ".089" },
  });
});

test("a line is found again by its key, and no other one", () => {
  const line = { timestamp: "2026-01-31T12:00:00.000Z", level: "warn" as const, target: "a" };
  const lines = ["a", "b"].map((message) => ({ ...line, message, fields: {} }));
  const [first, second] = lines.map((one) => lineOfKey(lines, lineKey(one))?.message);
  expect([first, second, lineOfKey(lines, "")]).toEqual(["a", "b", undefined]);
});
