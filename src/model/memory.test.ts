import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { candidatesOf, filesOf } from "../storage/pull/artifacts.ts";
import { ggufBytes } from "../testkit/modelsfolder.ts";
import type { Artifact } from "../wire/manifest.ts";
import { parseGguf } from "./gguf.ts";
import { readHeader, readHeaderOf } from "./header.ts";
import { type Hyperparameters, hyperparametersOf } from "./hyperparameters.ts";
import { chooseFit, contextOf, estimateMemory, freeMemoryOf } from "./memory.ts";

const TINY = join(import.meta.dir, "../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

function shape(metadata: Record<string, string | number | number[]>): Hyperparameters {
  const header = parseGguf(ggufBytes(metadata), { metadataOnly: true });
  const found = hyperparametersOf(header);
  if (found === undefined) throw new Error("no shape");
  return found;
}

const LLAMA = {
  "general.architecture": "llama",
  "llama.block_count": 32,
  "llama.context_length": 131_072,
  "llama.embedding_length": 4096,
  "llama.feed_forward_length": 14_336,
  "llama.attention.head_count": 32,
  "llama.attention.head_count_kv": 8,
  "llama.vocab_size": 128_256,
};

test("the tiny model is read as it is", async () => {
  const header = await readHeaderOf(TINY);
  expect(header.tensors).toHaveLength(56);
  expect(header.dataOffset).toBe(37_248);
  const found = hyperparametersOf(header);
  expect(found).toMatchObject({ trainedContext: 2048, embedding: 256, vocabulary: 1152 });
  expect(found?.layers).toHaveLength(6);
  expect(found?.layers[0]).toEqual({ keys: 64, values: 64, sliding: false, state: 0 });
});

test("a header is read by ranges, as far as it goes", async () => {
  const bytes = await Bun.file(TINY).bytes();
  const asked: [number, number][] = [];
  const header = await readHeader(async (offset, length) => {
    asked.push([offset, length]);
    return bytes.subarray(offset, offset + length);
  });
  expect(header.metadata.get("llama.block_count")).toBe(6);
  expect(asked).toEqual([[0, 262_144]]);
  const cut = readHeader(async (offset) => bytes.subarray(offset, 2000));
  expect(await cut.catch((error: unknown) => String(error))).toContain("ends within its header");
});

describe("the cache of", () => {
  test("8 billion parameters for 8192 tokens takes 1 GiB", () => {
    const context = contextOf(["-c", "8192"], shape(LLAMA));
    expect(estimateMemory(shape(LLAMA), context, 0).cache).toBe(GIB);
    const quantized = contextOf(["-c", "8192", "-ctk", "q8_0", "-ctv", "q8_0"], shape(LLAMA));
    expect(estimateMemory(shape(LLAMA), quantized, 0).cache).toBe((GIB * 34) / 64);
  });

  test("layers with a window does not grow with the context", () => {
    const gemma = shape({
      "general.architecture": "gemma3",
      "gemma3.block_count": 12,
      "gemma3.embedding_length": 1024,
      "gemma3.attention.head_count": 4,
      "gemma3.attention.head_count_kv": 1,
      "gemma3.attention.key_length": 256,
      "gemma3.attention.value_length": 256,
      "gemma3.attention.sliding_window": 512,
    });
    expect(gemma.layers.filter(({ sliding }) => sliding)).toHaveLength(10);
    const context = contextOf(["-c", "32768", "-np", "1"], gemma);
    const row = 256 * 2 * 2;
    expect(estimateMemory(gemma, context, 0).cache).toBe((2 * 32_768 + 10 * 1024) * row);
  });

  test("recurrent layers is one state for each slot", () => {
    const mixed = shape({
      "general.architecture": "qwen3next",
      "qwen3next.block_count": 4,
      "qwen3next.embedding_length": 64,
      "qwen3next.attention.head_count": 4,
      "qwen3next.attention.head_count_kv": 1,
      "qwen3next.full_attention_interval": 4,
      "qwen3next.ssm.inner_size": 128,
      "qwen3next.ssm.state_size": 16,
      "qwen3next.ssm.conv_kernel": 4,
      "qwen3next.ssm.group_count": 2,
    });
    const state = 16 * 128 + 3 * (128 + 2 * 2 * 16);
    expect(mixed.layers.map((layer) => layer.state)).toEqual([state, state, state, 0]);
    const context = contextOf(["-c", "1024", "-np", "2"], mixed);
    expect(estimateMemory(mixed, context, 0).cache).toBe(1024 * 32 * 2 + 3 * state * 4 * 2);
  });

  test("layers of different widths is that of each", () => {
    const uneven = shape({
      ...LLAMA,
      "llama.block_count": 2,
      "llama.attention.head_count_kv": [8, 2],
    });
    expect(uneven.layers.map(({ keys }) => keys)).toEqual([1024, 256]);
  });

  test("compressed keys is one row", () => {
    const deepseek = shape({
      "general.architecture": "deepseek2",
      "deepseek2.block_count": 1,
      "deepseek2.embedding_length": 2048,
      "deepseek2.attention.head_count": 16,
      "deepseek2.attention.head_count_kv": 1,
      "deepseek2.attention.kv_lora_rank": 512,
      "deepseek2.attention.key_length": 576,
      "deepseek2.attention.key_length_mla": 192,
    });
    expect(deepseek.layers[0]).toEqual({ keys: 576, values: 0, sliding: false, state: 0 });
  });
});

test("arguments decide about slots, batch and attention", () => {
  const found = contextOf(["-np", "2", "-ub", "64", "-fa", "off", "--swa-full"], shape(LLAMA));
  expect(found).toMatchObject({ slots: 2, batch: 64, flashAttention: false, fullWindow: true });
  expect(found).toMatchObject({ unified: false, tokens: 4096 });
  expect(contextOf([], shape(LLAMA))).toMatchObject({ slots: 4, unified: true, batch: 512 });
});

describe("of several quantizations", () => {
  const artifact = (filename: string, gib: number): Artifact => ({
    ...{ filename, format: "gguf", quantization: /(I?Q\d\w*)/i.exec(filename)?.[1] ?? null },
    ...{ size_bytes: gib * GIB, sha256: null, git_oid: null, url: "https://huggingface.co/x" },
    ...{ priority: 0, runtimes: ["llama_cpp"], optional: false },
  });
  const artifacts = [
    artifact("m-Q2_K.gguf", 3),
    artifact("m-Q4_K_M.gguf", 5),
    artifact("m-Q8_0-00001-of-00002.gguf", 4),
    artifact("m-Q8_0-00002-of-00002.gguf", 4),
    artifact("mmproj-F16.gguf", 1),
  ];
  const candidates = candidatesOf(artifacts);
  const choose = (device: number, host: number, offered = candidates) =>
    chooseFit({
      ...{ candidates: offered, shape: shape(LLAMA), args: [], extraBytes: 0 },
      free: { device: device * GIB, host: host * GIB },
    });

  test("parts are one, projectors are none", () => {
    expect(candidates.map(({ quantization }) => quantization)).toEqual(["Q2_K", "Q4_K_M", "Q8_0"]);
    const q8 = candidates[2];
    expect(q8?.sizeBytes).toBe(8 * GIB);
    const files = q8 === undefined ? [] : filesOf(q8, artifacts);
    expect(files.map(({ filename }) => filename)).toEqual([
      "m-Q8_0-00001-of-00002.gguf",
      "m-Q8_0-00002-of-00002.gguf",
      "mmproj-F16.gguf",
    ]);
  });

  test.each([
    [0, 64, "Q4_K_M", "host"],
    [24, 64, "Q4_K_M", "device"],
    [0, 6, "Q2_K", "host"],
    [5, 64, "Q2_K", "device"],
    [2, 64, "Q4_K_M", "host"],
  ])("with %d GiB of GPU and %d GiB of host memory it is %s", (device, host, wanted, place) => {
    const fit = choose(device, host);
    expect([fit.candidate.quantization, fit.place]).toEqual([wanted, place as "device" | "host"]);
  });

  test("the preferred one is found in lower case, too", () => {
    const lower = candidatesOf([
      ...[artifact("m-q2_k.gguf", 3), artifact("m-q4_k_m.gguf", 5), artifact("m-q8_0.gguf", 9)],
    ]);
    const { candidate } = choose(0, 64, lower);
    expect(candidate.quantization).toBe("q4_k_m");
  });

  test("without the preferred one it is the largest that fits", () => {
    const others = candidates.filter(({ quantization }) => quantization !== "Q4_K_M");
    expect(choose(0, 64, others).candidate.quantization).toBe("Q8_0");
    expect(choose(0, 8, others).candidate.quantization).toBe("Q2_K");
  });

  test("none is refused with numbers", () => {
    expect(() => choose(0, 2)).toThrow(/smallest, Q2_K, takes 3\.\d GiB .*2 GiB of host memory/);
    expect(() => choose(0, 64, [])).toThrow("no GGUF file");
  });
});

test("free memory is that of GPUs of their own, and the host's", () => {
  const device = (type: "cpu" | "gpu" | "igpu", free: number) => ({
    ...{ name: type, description: "", type, total_memory_bytes: 99, free_memory_bytes: free },
  });
  expect(freeMemoryOf([], 5)).toEqual({ device: 0, host: 5 });
  const all = [device("gpu", 1), device("gpu", 2), device("igpu", 4), device("cpu", 8)];
  expect(freeMemoryOf(all, 5)).toEqual({ device: 3, host: 8 });
});
