import { expect, test } from "bun:test";
import { differingParts } from "./versions.ts";

const OWN = { llmlb: "2.0.0", bun: "1.4.5", llama_cpp: "b100" };

test.each([
  [{}, []],
  [{ llmlb: "1.9.0" }, ["llmlb"]],
  [{ llmlb: "1.9.0", bun: null, llama_cpp: null }, ["llmlb"]],
  [{ bun: "1.4.6", llama_cpp: "b99" }, ["llama_cpp", "bun"]],
] as const)("a node with %p differs in %p", (changes, expected) => {
  expect(differingParts(OWN, { ...OWN, ...changes })).toEqual([...expected]);
});
