import { expect, test } from "bun:test";
import { readModelList } from "./modellist.ts";

test("readModelList takes both formats, and a bare list, and skips what has no name", () => {
  const ids = (json: unknown) => [...(readModelList(json)?.keys() ?? ["none"])];
  expect(
    ids({ data: [{ id: "a" }, { id: "" }, { id: "a" }, 7, { id: "b", created: "x" }] }),
  ).toEqual(["a", "b"]);
  expect(ids({ models: [{ name: "x:latest", model: "x" }, { name: "y" }] })).toEqual(["x", "y"]);
  expect(ids({ data: null })).toEqual([]);
  expect(ids([])).toEqual([]);
  expect(ids([{ id: "a" }, "b", { name: "c" }, 7])).toEqual(["a", "b", "c"]);
  expect(ids({ data: ["a"] })).toEqual(["a"]);
  expect(ids("a")).toEqual(["none"]);
  expect(ids({ data: {} })).toEqual(["none"]);
});

test.each([
  ["nomic-embed-text", ["embeddings"]],
  ["org/Embedder", ["embeddings"]],
  ["llava:7b", ["chat", "vision"]],
  ["Qwen2.5-VL-7B", ["chat", "vision"]],
  ["llama-3.2-vision", ["chat", "vision"]],
  ["qwen3:8b", ["chat"]],
])("the name %s suggests %j", (id, capabilities) => {
  expect(readModelList({ data: [{ id }] })?.get(id)?.capabilities).toEqual(capabilities);
});
