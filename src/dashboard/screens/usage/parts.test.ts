import { expect, test } from "bun:test";
import type { UsageRowView } from "../../../wire/usage.ts";
import { partsOf, sumsOf } from "./parts.ts";

function row(period: string, group: string | null, total_tokens: number): UsageRowView {
  return {
    ...{ period, group, name: null, requests: 1, succeeded: 1, failed: 0, total_tokens },
    ...{ input_tokens: 0, output_tokens: 0, cached_tokens: 0, cost: 0.5 },
    ...{ first_byte_ms: null, duration_ms: null },
  };
}

const PERIODS = ["2026-01-01", "2026-01-02"];

test("the largest groups come first, each with its values in the order of the periods", () => {
  const rows = [row("2026-01-02", "a", 1), row("2026-01-02", "b", 5), row("2026-01-01", "a", 2)];
  const parts = partsOf({ rows }, PERIODS, "tokens");
  expect(parts.map(({ row, color, values }) => [row?.group, color, values])).toEqual([
    ["b", "--part-1", [0, 5]],
    ["a", "--part-2", [2, 1]],
  ]);
  expect(partsOf({ rows }, PERIODS, "cost").map(({ values }) => values)).toEqual([
    [0.5, 0.5],
    [0, 0.5],
  ]);
});

test("beyond six groups the others are one; nothing gets lost", () => {
  const rows = Array.from({ length: 9 }, (_, i) => row("2026-01-01", `g${i}`, 10 - i));
  const seven = partsOf({ rows: rows.slice(0, 7) }, PERIODS, "tokens");
  expect(seven.map(({ row }) => row?.group)).toEqual(["g0", "g1", "g2", "g3", "g4", undefined]);
  const sumOf = (parts: typeof seven) => parts.reduce((sum, one) => sum + (one.values[0] ?? 0), 0);
  expect(sumOf(seven)).toBe(10 + 9 + 8 + 7 + 6 + 5 + 4);
  const six = partsOf({ rows: rows.slice(0, 6) }, PERIODS, "tokens");
  expect(six.map(({ row }) => row?.group)).toEqual(["g0", "g1", "g2", "g3", "g4", "g5"]);
});

test("without groups there is one part; what used nothing is none", () => {
  const rows = [row("2026-01-01", null, 3), row("2026-01-02", null, 4)];
  expect(partsOf({ rows }, PERIODS, "tokens").map(({ values }) => values)).toEqual([[3, 4]]);
  expect(partsOf({ rows: [row("2026-01-01", "a", 0)] }, PERIODS, "tokens")).toEqual([]);
});

test("a table has a row for each group, or without groups for each period", () => {
  const rows = [row("2026-01-02", "a", 1), row("2026-01-02", "b", 5), row("2026-01-01", "a", 2)];
  expect(sumsOf({ rows, group: "model" })).toEqual([
    expect.objectContaining({ group: "a", period: null, total_tokens: 3, requests: 2, cost: 1 }),
    expect.objectContaining({ group: "b", period: null, total_tokens: 5, requests: 1 }),
  ]);
  expect(sumsOf({ rows, group: null })).toEqual(rows);
});
