import { expect, test } from "bun:test";
import { placeBeside } from "./place.ts";

const VIEW = { width: 400, height: 300 };
const SIZE = { width: 100, height: 60 };
const at = (left: number, top: number) =>
  placeBeside({ left, top, width: 20, height: 20 }, SIZE, VIEW);

test("a box stands below the middle of its target, else above it", () => {
  expect(at(200, 100)).toEqual({ left: 160, top: 128 });
  expect(at(200, 250)).toEqual({ left: 160, top: 182 });
});

test("it stays in the window", () => {
  expect(at(0, 100).left).toBe(8);
  expect(at(390, 100).left).toBe(292);
  expect(placeBeside({ left: 0, top: 10, width: 9, height: 280 }, SIZE, VIEW).top).toBe(232);
  expect(
    placeBeside({ left: 0, top: 0, width: 9, height: 9 }, { width: 900, height: 900 }, VIEW),
  ).toEqual({ left: 8, top: 8 });
});
