import { expect, test } from "bun:test";
import { filterQuery } from "./filterquery.ts";

test("what is empty is not asked for, and texts are trimmed", () => {
  const query = filterQuery({ model: " a b ", key: "  ", from: "", to: "" });
  expect([...query]).toEqual([["model", "a b"]]);
});

test("days are those of the reader's clock, the last one until its end", () => {
  const query = filterQuery({ from: "2026-01-31", to: "2026-01-31" });
  const begin = new Date(2026, 0, 31).getTime();
  expect(Date.parse(query.get("from") ?? "")).toBe(begin);
  expect(Date.parse(query.get("to") ?? "")).toBe(new Date(2026, 1, 1).getTime());
});

test("what is no day is none, as in an address that somebody has typed", () => {
  expect([...filterQuery({ from: "soon", to: "2026-13-40" })]).toEqual([]);
});
