import { expect, test } from "bun:test";
import type { Prices } from "../../db/state/prices.ts";
import { PriceList } from "./prices.ts";

const ROWS = [
  { pattern: "*", input: 1, output: 2, cached: null },
  { pattern: "openai:*", input: 3, output: 4, cached: 0.5 },
  { pattern: "openai:gpt-5", input: 10, output: 20, cached: 1 },
];
const store = { list: async () => ROWS } as unknown as Prices;

test.each([
  ["llama", { input: 10, output: 5, cached: null }, 20],
  ["openai:gpt-4o", { input: 10, output: 5, cached: 4 }, 6 * 3 + 2 + 20],
  ["OpenAI:GPT-5", { input: 1, output: 1, cached: 0 }, 30],
  ["llama", { input: null, output: 5, cached: null }, 10],
  ["llama", { input: 5, output: 0, cached: 9 }, 5],
])("%s of %j costs %d millionths", async (model, usage, cost) => {
  expect((await PriceList.open(store)).costMicros(model, usage)).toBe(cost);
});

test("a model without a price costs nothing, and that is told apart from no price", async () => {
  const none = await PriceList.open({ list: async () => [] } as unknown as Prices);
  expect(none.costMicros("llama", { input: 1, output: 1, cached: 0 })).toBeNull();
  expect((await PriceList.open(store)).costMicros("llama", undefined)).toBe(0);
});
