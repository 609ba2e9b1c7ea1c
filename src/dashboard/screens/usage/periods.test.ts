import { expect, test } from "bun:test";
import { periodsOf } from "./periods.ts";

test("every hour, day and month is there, the last one unfinished", () => {
  const hours = { by: "hour", from: "2026-01-31T22:30:00Z", to: "2026-02-01T00:10:00Z" } as const;
  expect(periodsOf(hours)).toEqual([
    ...["2026-01-31T22:00:00.000Z", "2026-01-31T23:00:00.000Z", "2026-02-01T00:00:00.000Z"],
  ]);
  const days = { by: "day", from: "2026-02-27T00:00:00Z", to: "2026-03-02T00:00:00Z" } as const;
  expect(periodsOf(days)).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  const months = { by: "month", from: "2025-11-01T00:00:00Z", to: "2026-01-31T12:00:00Z" } as const;
  expect(periodsOf(months)).toEqual(["2025-11", "2025-12", "2026-01"]);
  expect(periodsOf({ ...months, by: "total" })).toEqual([]);
});

test.each([
  ["Tokyo", "2026-01-30T15:00:00Z", "2026-02-01T14:59:00Z"],
  ["Los Angeles", "2026-01-31T08:00:00Z", "2026-02-02T07:59:00Z"],
  ["Adelaide", "2026-01-30T13:30:00Z", "2026-02-01T13:29:00Z"],
])("days are those of a balancer in %s", (_, from, to) => {
  expect(periodsOf({ by: "day", from, to })).toEqual(["2026-01-31", "2026-02-01"]);
});

test("the number of periods has an end", () => {
  const days = { by: "day", from: "1026-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" } as const;
  expect(periodsOf(days)).toHaveLength(1000);
});
