import { expect, test } from "bun:test";
import { type HostShape, layOut, METRICS, rowsBetween, sizeFor } from "./layout.ts";

const GAP = METRICS.medium.gap;
const host = (more: Partial<HostShape> = {}): HostShape => ({
  ...{ bars: 1, cells: 4, lines: 0 },
  ...more,
});
const hosts = (count: number) => Array.from({ length: count }, () => host());

test("one host is large, a few are medium, many are small", () => {
  expect([1, 2, 3, 12, 18, 19, 100].map((count) => sizeFor(count, 1000))).toEqual([
    ...(["large", "large", "medium", "medium", "medium", "small", "small"] as const),
  ]);
  expect([1, 12, 13].map((count) => sizeFor(count, 340))).toEqual(["medium", "medium", "small"]);
});

test("hosts stand in rows, in their order, and fill the width", () => {
  const { columns, width, rows, height } = layOut(hosts(7), 1000, "medium");
  expect(columns).toBe(3);
  expect(columns * width + (columns - 1) * GAP).toBeGreaterThan(1000 - columns);
  expect(rows.map(({ from, to }) => [from, to])).toEqual([
    [0, 3],
    [3, 6],
    [6, 7],
  ]);
  const [first, second, third] = rows;
  expect(second?.top).toBe((first?.height ?? 0) + GAP);
  expect(height).toBe((third?.top ?? 0) + (third?.height ?? 0));
});

test("fewer hosts than columns share the width", () => {
  expect(layOut(hosts(1), 1000, "medium")).toMatchObject({ columns: 1, width: 1000 });
  expect(layOut([], 1000, "small")).toMatchObject({ rows: [], height: 0 });
  expect(layOut(hosts(3), 90, "small")).toMatchObject({ columns: 1, width: 90 });
});

test("a row is as high as its highest host", () => {
  const heightOf = (shape: HostShape) => layOut([shape], 400, "medium").height;
  const { bar, denseBar, line, cell, cellGap, part } = METRICS.medium;
  const base = heightOf(host());
  expect(heightOf(host({ bars: 3 }))).toBe(base + 2 * bar);
  expect(heightOf(host({ bars: 8 }))).toBe(base - bar + 8 * denseBar);
  expect(heightOf(host({ bars: 0 }))).toBe(base - bar - part);
  expect(heightOf(host({ lines: 2 }))).toBe(base + 2 * line + part);
  const wide = (lines: number) => layOut([host({ lines })], 1000, "large").height;
  expect([wide(2) - wide(1), wide(3) - wide(2)]).toEqual([0, METRICS.large.line]);
  // 27 cells of 11 and 3 pixels stand in 370.
  expect(heightOf(host({ cells: 26 }))).toBe(base);
  expect(heightOf(host({ cells: 27 }))).toBe(base + cell + cellGap);
  expect(heightOf(host({ cells: 5000 }))).toBe(base);
  const both = layOut([host(), host({ bars: 3 })], 1000, "medium").rows;
  expect(both).toMatchObject([{ height: base + 2 * bar }]);
});

test("a hundred hosts are seen at once on a usual screen", () => {
  const shapes = Array.from({ length: 100 }, () => host({ bars: 2, cells: 8 }));
  expect(layOut(shapes, 1024, "small").height).toBeLessThan(700);
});

test("only rows in sight are found, whatever their heights", () => {
  const { rows } = layOut(hosts(30), 300, "medium");
  const [first] = rows;
  const step = (first?.height ?? 0) + GAP;
  expect(rowsBetween(rows, 0, step - GAP).map(({ from }) => from)).toEqual([0]);
  expect(rowsBetween(rows, 2 * step + 1, 4 * step + 1).map(({ from }) => from)).toEqual([2, 3, 4]);
  expect(rowsBetween(rows, 1e6, 2e6)).toEqual([]);
  expect(rowsBetween(rows, -500, -1)).toEqual([]);
});
