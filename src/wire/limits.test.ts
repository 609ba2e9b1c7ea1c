import { expect, test } from "bun:test";
import { type Limits, limitText } from "./limits.ts";

const texts: [keyof Limits, number | string, string][] = [
  ["requests_per_minute", 60, "60 requests per minute"],
  ["requests_per_minute", 1, "1 request per minute"],
  ["tokens_per_day", 0, "0 tokens per day"],
  ["concurrent_requests", 4, "4 requests at a time"],
  ["concurrent_requests", 1, "1 request at a time"],
  ["cost_per_month", 1, "cost of 1 per month"],
  ["priority", "low", "priority low"],
];
test.each(texts)("the limit %s of %p reads %p", (limit, value, text) => {
  expect(limitText(limit, value)).toBe(text);
});
