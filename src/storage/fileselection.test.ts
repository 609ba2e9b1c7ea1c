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

/** What is chosen where headers say of some files what they are; all others are models. */
async function selectWith(
  files: Record<string, number>,
  types: Record<string, string>,
  more: Partial<FileSelectionOptions> = {},
) {
  const header: FileSelectionOptions["header"] = async ({ filename }) => {
    return headerOf(types[filename] ?? "model");
  };
  return (await select(files, { header, ...more })).sort();
}

const named = (quantization: string) => ({ quantization, isNamed: true });

test("tags name files as the hub's pages print them", async () => {
  const files = { "T-Q4_K_M.gguf": 200, "T-UD-Q4_K_M.gguf": 210, "T-UD-Q6_K_XL.gguf": 300 };
  expect(await select(files)).toEqual(["T-Q4_K_M.gguf"]);
  expect(await select(files, named("Q4_K_M"))).toEqual(["T-Q4_K_M.gguf"]);
  expect(await select(files, named("UD-Q4_K_M"))).toEqual(["T-UD-Q4_K_M.gguf"]);
  for (const tag of ["UD-Q6_K_XL", "Q6_K_XL"]) {
    expect(await select(files, named(tag))).toEqual(["T-UD-Q6_K_XL.gguf"]);
  }
  expect(await select({ "A.i1-Q4_K_M.gguf": 1, "A.i1-Q2_K.gguf": 1 })).toEqual([
    "A.i1-Q4_K_M.gguf",
  ]);
  const underscored = { "m_Q4_K_M.gguf": 200, "m_Q8_0.gguf": 300 };
  expect(await select(underscored)).toEqual(["m_Q4_K_M.gguf"]);
  expect(await select(underscored, named("q8_0"))).toEqual(["m_Q8_0.gguf"]);
});

test("companions are never taken for the model, whatever fits", async () => {
  const free = async () => ({ device: 0, host: 513 * MIB });
  for (const companion of ["mtp-T-Q8_0.gguf", "T-imatrix.gguf", "ggml-vocab-t.gguf"]) {
    const files = { "T-Q4_K_M.gguf": 42 * MIB, [companion]: 1000 };
    const error = await failing(select(files, { free }));
    expect(error.message).toContain("There are: Q4_K_M (42 MiB).");
    expect(await select(files)).toEqual(["T-Q4_K_M.gguf"]);
  }
  const drafted = { "T-Q4_K_M.gguf": 42, "mtp-T-Q8_0.gguf": 1, "mtp-T-Q4_K_M.gguf": 1 };
  expect((await failing(select(drafted, named("Q8_0")))).message).toContain("has no Q8_0.");
  expect(await select(drafted, named("Q4_K_M"))).toEqual(["T-Q4_K_M.gguf"]);
});

test("what a header says goes before the name", async () => {
  const seeing = { "V-Q4_K_M.gguf": 300, "V-Q8_0.gguf": 400, "V-eyes-f16.gguf": 100 };
  const mmproj = { "V-eyes-f16.gguf": "mmproj" };
  const both = ["V-Q4_K_M.gguf", "V-eyes-f16.gguf"];
  expect(await selectWith(seeing, mmproj)).toEqual(both);
  expect(await selectWith(seeing, mmproj, named("Q4_K_M"))).toEqual(both);
  const merged = { "T-lora-merged-Q4_K_M.gguf": 300 };
  expect(await selectWith(merged, {})).toEqual(Object.keys(merged));
  const adapter = { "T-lora-merged-Q4_K_M.gguf": "adapter" };
  expect((await failing(selectWith(merged, adapter))).message).toContain("is an adapter (LoRA)");
  const data = { "T.gguf": 300, "T-data.gguf": 100 };
  expect(await selectWith(data, { "T-data.gguf": "imatrix" })).toEqual(["T.gguf"]);
  const only = { "T-data.gguf": 100 };
  const none = await failing(selectWith(only, { "T-data.gguf": "imatrix" }));
  expect(none.message).toContain("T-data.gguf is an importance matrix");
  expect(await selectWith({ "mtp-T-Q8_0.gguf": 100 }, {})).toEqual(["mtp-T-Q8_0.gguf"]);
});

test("headers are read only where names leave open what files are", async () => {
  const read: string[] = [];
  const header: FileSelectionOptions["header"] = async ({ filename }) => {
    read.push(filename);
    return headerOf("model");
  };
  const files = { "T-Q2_K.gguf": 1, "T-Q8_0.gguf": 9, "T-F16.gguf": 20, "mmproj-F16.gguf": 2 };
  await select(files, { header });
  expect(read).toEqual(["T-Q2_K.gguf"]);
});
