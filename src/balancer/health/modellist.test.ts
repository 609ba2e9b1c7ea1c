import { expect, test } from "bun:test";
import { LISTED_MODELS_MAX } from "../upstream/listedmodels.ts";
import { readModelList } from "./modellist.ts";

const ids = async (json: unknown) => [
  ...((await readModelList({ json }))?.models.keys() ?? ["none"]),
];

test("readModelList takes both formats, and a bare list, and skips what has no name", async () => {
  expect(
    await ids({ data: [{ id: "a" }, { id: "" }, { id: "a" }, 7, { id: "b", created: "x" }] }),
  ).toEqual(["a", "b"]);
  expect(await ids({ models: [{ name: "x:latest", model: "x" }, { name: "y" }] })).toEqual([
    "x",
    "y",
  ]);
  expect(await ids({ data: null })).toEqual([]);
  expect(await ids([])).toEqual([]);
  expect(await ids([{ id: "a" }, "b", { name: "c" }, 7])).toEqual(["a", "b", "c"]);
  expect(await ids({ data: ["a"] })).toEqual(["a"]);
  expect(await ids("a")).toEqual(["none"]);
  expect(await ids({ data: {} })).toEqual(["none"]);
});

test.each([
  ["nomic-embed-text", ["embeddings"]],
  ["org/Embedder", ["embeddings"]],
  ["llava:7b", ["chat", "vision"]],
  ["Qwen2.5-VL-7B", ["chat", "vision"]],
  ["llama-3.2-vision", ["chat", "vision"]],
  ["qwen3:8b", ["chat"]],
])("the name %s suggests %j", async (id, capabilities) => {
  const { models } = (await readModelList({ json: { data: [{ id }] } })) ?? {};
  expect(models?.get(id)?.capabilities).toEqual(capabilities);
});

test("of a list that is too long the first entries are read, and all are counted", async () => {
  const names = Array.from({ length: LISTED_MODELS_MAX + 7 }, (_, i) => `m${i}`);
  const whole = await readModelList({ json: names });
  expect([...(whole?.models.keys() ?? [])]).toEqual(names.slice(0, LISTED_MODELS_MAX));
  expect(whole?.listed).toBe(LISTED_MODELS_MAX + 7);
  const json = { data: names.slice(0, LISTED_MODELS_MAX) };
  expect((await readModelList({ json, longestList: 99_999 }))?.listed).toBe(99_999);
  expect((await readModelList({ json: ["a"], longestList: 99_999 }))?.listed).toBe(1);
});
