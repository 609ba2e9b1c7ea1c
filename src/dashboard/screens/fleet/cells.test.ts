import { expect, test } from "bun:test";
import { litCells } from "./cells.ts";

const load = (models: Record<string, number>, active?: number) => {
  const sum = Object.values(models).reduce((total, one) => total + one, 0);
  return { active: active ?? sum, models };
};

test("free slots are lit from the first on", () => {
  expect(litCells([], load({ a: 1, b: 1 }), 4)).toEqual(["a", "b", null, null]);
  expect(litCells([], load({}), 2)).toEqual([null, null]);
});

test("a request keeps its cell while others begin and end", () => {
  const before = ["a", "a", "b", null];
  expect(litCells(before, load({ a: 1, b: 1 }), 4)).toEqual(["a", null, "b", null]);
  expect(litCells(["a", null, "b", null], load({ b: 1, c: 2 }), 4)).toEqual(["c", "c", "b", null]);
});

test("requests of which no model is told are lit, too, and never more than there are", () => {
  expect(litCells([], load({}, 2), 3)).toEqual(["", "", null]);
  expect(litCells([], load({ a: 1 }, 2), 3)).toEqual(["a", "", null]);
  expect(litCells([], load({ a: 5 }, 2), 3)).toEqual(["a", "a", null]);
});

test("more requests than slots have cells until they end", () => {
  expect(litCells([], load({ a: 3 }), 2)).toEqual(["a", "a", "a"]);
  expect(litCells(["b", "a", "a"], load({ a: 2 }), 2)).toEqual([null, "a", "a"]);
  expect(litCells([null, "a", "a"], load({ a: 1 }), 2)).toEqual([null, "a"]);
});
