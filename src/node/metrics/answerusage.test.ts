import { expect, test } from "bun:test";
import { UsageReader } from "./answerusage.ts";

function usageOf(...pieces: string[]) {
  const reader = new UsageReader();
  for (const piece of pieces) reader.push(new TextEncoder().encode(piece));
  return reader.usage();
}

const TIMINGS = '"timings":{"cache_n":3,"prompt_n":4,"prompt_ms":1.5,"predicted_n":9}';
const USAGE = `"usage":{"completion_tokens":5,"prompt_tokens":7,"total_tokens":12,
"prompt_tokens_details":{"cached_tokens":2}}`;

test("usage counts all, timings where there is none", () => {
  expect(usageOf(`{${USAGE},${TIMINGS}}`)).toEqual({ input: 7, output: 5, cached: 2 });
  expect(usageOf(`data: {${TIMINGS}}\n\n`, "data: [DONE]\n\n")).toEqual({
    ...{ input: 7, output: 9, cached: 3 },
  });
  expect(usageOf()).toBeUndefined();
  expect(usageOf('{"usage":null}')).toBeUndefined();
});

test("usage before a long list is found, and timings at the end of a long stream", () => {
  const vectors = `"data":[${"0.25,".repeat(5000)}1]`;
  const before = '"usage":{"prompt_tokens":6,"total_tokens":6}';
  expect(usageOf(`{"object":"list",${before},${vectors}}`)).toEqual({
    ...{ input: 6, output: 0, cached: 0 },
  });
  const long = `data: {"content":"${"x".repeat(500)}"}\n\n`;
  const pieces = Array.from({ length: 50 }, () => long);
  const end = `data: {${TIMINGS}}\n\n`;
  expect(usageOf(...pieces, end.slice(0, 20), end.slice(20))?.output).toBe(9);
});

test("a text that looks like usage is none", () => {
  const text = JSON.stringify({ content: `{${USAGE}` });
  expect(usageOf(text)).toBeUndefined();
  expect(usageOf(`{"content":${text},${TIMINGS}}`)?.output).toBe(9);
});
