import { expect, test } from "bun:test";
import type { GgufMetadata } from "../model/gguf.ts";
import { quantizationOf } from "../model/quantization.ts";
import { failing } from "../testkit/pullbench.ts";
import { FileServer, testManifest } from "../testkit/servers/files.ts";
import { type FileSelectionOptions, selectFiles } from "./fileselection.ts";

const MIB = 2 ** 20;

/** What is chosen among GGUF files of these names and sizes. */
async function select(files: Record<string, number>, more: Partial<FileSelectionOptions> = {}) {
  await using hub = await FileServer.start();
  const artifacts = Object.entries(files).map(([name, size]) => {
    return hub.add(name, size, { quantization: quantizationOf(name) ?? null });
  });
  const options = { isNamed: false, args: [], free: async () => ({ device: 0, host: 600 * MIB }) };
  const header = async () => undefined;
  const selection = selectFiles({ manifest: testManifest(artifacts), ...options, header, ...more });
  return (await selection).files.map(({ filename }) => filename);
}

function headerOf(type: string): GgufMetadata {
  return new Map([["general.type", type]]);
}

test.each([
  ["adapter", "an adapter (LoRA)"],
  ["mmproj", "an image projector"],
])("a file that says that it is no model is not fetched as one: %s", async (type, text) => {
  const header = async () => headerOf(type);
  const error = await failing(select({ "m-Q8_0.gguf": 100 }, { header, isNamed: true }));
  expect(error).toMatchObject({ code: "pull_no_artifact", status: 400 });
  expect(error.message).toContain(`m-Q8_0.gguf of Org/Model is ${text}`);
});

test("of two files with the quantization that would be taken neither is", async () => {
  const files = { "a-Q8_0.gguf": 300, "b-Q8_0.gguf": 200, "a-Q2_K.gguf": 100 };
  const error = await failing(select(files));
  expect(error.message).toContain("several files with Q8_0: a-Q8_0.gguf, b-Q8_0.gguf. Name one");
  expect(await select({ ...files, "a-Q4_K_M.gguf": 150 })).toEqual(["a-Q4_K_M.gguf"]);
  expect(await select(files, { quantization: "q2_k", isNamed: true })).toEqual(["a-Q2_K.gguf"]);
});

test("names in lower case are the same quantizations", async () => {
  const files = {
    "qwen2.5-0.5b-instruct-q2_k.gguf": 100,
    "qwen2.5-0.5b-instruct-q4_k_m.gguf": 150,
    "qwen2.5-0.5b-instruct-q8_0.gguf": 300,
    "qwen2.5-0.5b-instruct-fp16.gguf": 600,
  };
  expect(await select(files)).toEqual(["qwen2.5-0.5b-instruct-q4_k_m.gguf"]);
  const named = { quantization: "Q8_0", isNamed: true };
  expect(await select(files, named)).toEqual(["qwen2.5-0.5b-instruct-q8_0.gguf"]);
  const error = await failing(select({ "a-Q8_0.gguf": 300, "b-q8_0.gguf": 200 }));
  expect(error.message).toContain("several files with Q8_0: a-Q8_0.gguf, b-q8_0.gguf.");
});

test("what is named is taken though it does not fit, what is not named is refused", async () => {
  const free = async () => ({ device: 0, host: 100 });
  const files = { "a-Q8_0.gguf": 300, "a-Q2_K.gguf": 100 };
  const named = { free, quantization: "Q8_0", isNamed: true };
  expect(await select(files, named)).toEqual(["a-Q8_0.gguf"]);
  const error = await failing(select(files, { free }));
  expect(error.message).toContain("There are: Q2_K (100 B), Q8_0 (300 B).");
});
