import { expect, test } from "bun:test";
import { hiddenErrorStatus, requireContent } from "./hiddenerror.ts";

test.each([
  ['{"error":{"message":"No endpoints found","code":404}}', 404],
  ['{"error":{"message":"overloaded","code":"529"}}', 529],
  ['{"error":"model is loading"}', 502],
  ['{"id":null,"object":"error","error":{"status":"x"}}', 502],
  ['{"error":{"message":"x"},"status":503}', 503],
  ['{"choices":[],"error":{"message":"partial"}}', undefined],
  ['{"choices":[],"error":null}', undefined],
  ['{"error":null}', undefined],
  ['{"data":[],"error":{}}', undefined],
  ['{"choices":[{"message":{"content":"an \\"error\\" word"}}]}', undefined],
  ['{"error":', undefined],
])("%s with 200 ought to be %p", (text, expected) => {
  expect(hiddenErrorStatus(Buffer.from(text))).toBe(expected);
});

test("a page and nothing are no answers", () => {
  const fail = (text: string, type: string) => () =>
    requireContent(Buffer.from(text), type, "endpoint a");
  expect(fail("<html>", "text/html; charset=utf-8")).toThrow("with a web page");
  expect(fail("", "application/json")).toThrow("with nothing");
  expect(fail(" \n", "application/json")).toThrow("with nothing");
  expect(fail("null", "application/json")).toThrow("with nothing");
  expect(fail("{}", "application/json")).not.toThrow();
  // Of a recording without words.
  expect(fail("\n", "text/plain")).not.toThrow();
  expect(fail("WEBVTT", "text/plain")).not.toThrow();
});
