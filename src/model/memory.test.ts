import { describe, expect, test } from "bun:test";
import { ggufBytes } from "../testkit/modelsfolder.ts";
import { contextOf } from "./enginecontext.ts";
import { parseGguf } from "./gguf.ts";
import { type Hyperparameters, hyperparametersOf } from "./hyperparameters.ts";
import { estimateMemory, freeMemoryOf } from "./memory.ts";

const GIB = 1024 * 1024 * 1024;

function shape(metadata: Record<string, string | number | number[]>): Hyperparameters {
  const found = hyperparametersOf(parseGguf(ggufBytes(metadata)));
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

/** Bytes of the cache with these llama-server arguments. */
function cacheOf(hyperparameters: Hyperparameters, args: string): number {
  return estimateMemory({ weightsBytes: 0, hyperparameters, args: args.split(" ") }).cache;
}

describe("the cache of", () => {
  test("8 billion parameters for 8192 tokens takes 1 GiB", () => {
    expect(cacheOf(shape(LLAMA), "-c 8192")).toBe(GIB);
    expect(cacheOf(shape(LLAMA), "-c 8192 -ctk q8_0 -ctv q8_0")).toBe((GIB * 34) / 64);
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
    const row = 256 * 2 * 2;
    expect(cacheOf(gemma, "-c 32768 -np 1")).toBe((2 * 32_768 + 10 * 1024) * row);
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
    expect(cacheOf(mixed, "-c 1024 -np 2")).toBe(1024 * 32 * 2 + 3 * state * 4 * 2);
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

test("free memory is that of GPUs of their own, and the host's", () => {
  const device = (type: "cpu" | "gpu" | "igpu", free: number) => ({
    ...{ name: type, description: "", type, total_memory_bytes: 99, free_memory_bytes: free },
  });
  const host = { total: 9, available: 5 };
  expect(freeMemoryOf([], host)).toEqual({ device: 0, host: 5 });
  const all = [device("gpu", 1), device("gpu", 2), device("igpu", 4), device("cpu", 8)];
  expect(freeMemoryOf(all, host)).toEqual({ device: 3, host: 5 });
  expect(freeMemoryOf(all, undefined)).toEqual({ device: 3, host: 8 });
});
