import { expect, test } from "bun:test";
import { inksFor } from "./inks.ts";

test("models differ in colour first, then in pattern", () => {
  const names = Array.from({ length: 33 }, (_, i) => `m${String(i).padStart(2, "0")}`);
  const inks = inksFor(names);
  const text = (name: string) => `${inks.get(name)?.color} ${inks.get(name)?.pattern}`;
  expect(names.slice(6, 10).map(text)).toEqual(["6 0", "7 0", "0 1", "1 1"]);
  expect(new Set(names.slice(0, 32).map(text)).size).toBe(32);
  expect(text("m32")).toBe(text("m00"));
});

test("a model keeps its ink when others come", () => {
  const first = inksFor(["b", "c"]);
  expect(inksFor(["c", "b"], first)).toBe(first);
  const more = inksFor(["a", "b", "c"], first);
  expect(more.get("b")).toEqual(first.get("b"));
  expect(more.get("a")).toEqual({ color: 2, pattern: 0 });
});
