import { expect, test } from "bun:test";
import { joinArguments } from "./argumentlist.ts";

test("what comes later replaces arguments of the same name, and nothing else", () => {
  const own = "--ctx-size 8192 --parallel 4 --temp 0".split(" ");
  expect(joinArguments(own, ["--parallel", "2"])).toEqual(
    "--ctx-size 8192 --temp 0 --parallel 2".split(" "),
  );
  expect(joinArguments(own, ["--temp=0.5"])).toEqual(
    "--ctx-size 8192 --parallel 4 --temp=0.5".split(" "),
  );
  const twice = ["--lora", "a.gguf", "--lora", "b.gguf"];
  expect(joinArguments(own, twice)).toEqual([...own, ...twice]);
  expect(joinArguments(["--embeddings", ...own], ["--embeddings"])).toEqual([
    ...own,
    "--embeddings",
  ]);
  expect(joinArguments([], [])).toEqual([]);
});
