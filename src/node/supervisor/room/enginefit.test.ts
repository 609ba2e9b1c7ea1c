import { describe, expect, test } from "bun:test";
import { parseGguf } from "../../../model/gguf.ts";
import { hyperparametersOf } from "../../../model/hyperparameters.ts";
import { ggufBytes } from "../../../testkit/modelsfolder.ts";
import { type EngineFitQuestion, fitEngine } from "./enginefit.ts";
import { totalOf } from "./memory.ts";
import { placeMemory } from "./placement.ts";

const GIB = 1024 ** 3;

/** 8 billion parameters in 4 bits: a token of context takes 128 KiB. */
const SIZE = {
  weightsBytes: 5 * GIB,
  extraBytes: 0,
  hyperparameters: hyperparametersOf(
    parseGguf(
      ggufBytes({
        "general.architecture": "llama",
        "llama.block_count": 32,
        "llama.context_length": 131_072,
        "llama.embedding_length": 4096,
        "llama.feed_forward_length": 14_336,
        "llama.attention.head_count": 32,
        "llama.attention.head_count_kv": 8,
        "llama.vocab_size": 128_256,
      }),
    ),
  ),
};

function fitOf(args: string, more: Partial<EngineFitQuestion> = {}) {
  const most = { CUDA0: 23 * GIB, host: 60 * GIB };
  const split = args === "" ? [] : args.split(" ");
  return fitEngine({ size: SIZE, args: split, fit: undefined, isAlone: false, most, ...more });
}

describe("without a context of its own a model has", () => {
  test("so many tokens that others fit beside it", () => {
    const { args, need, shortened } = fitOf("");
    expect(args).toEqual(["--ctx-size", "32768"]);
    expect(need.CUDA0).toBeGreaterThan(9 * GIB);
    expect(need).toMatchObject({ host: 0 });
    expect(shortened).toBeUndefined();
  });

  test("all that it was trained for where it is alone", () => {
    expect(fitOf("", { isAlone: true }).args).toEqual(["--ctx-size", "131072"]);
    const most = { host: 60 * GIB };
    expect(fitOf("", { isAlone: true, most }).args).toEqual([
      ...["--ctx-size", "131072", "--fit", "off"],
    ]);
  });

  test("fewer where the memory is small, before layers leave the device", () => {
    const { args, need, shortened } = fitOf("", { most: { CUDA0: 7 * GIB, host: 60 * GIB } });
    const tokens = Number(args[1]);
    expect(tokens).toBeGreaterThan(8192);
    expect(tokens).toBeLessThan(16_384);
    expect(totalOf(need)).toBeGreaterThan(6.9 * GIB);
    expect(shortened).toEqual({ context_tokens: tokens, wished_context_tokens: 32_768 });
  });

  test("its layers in part in the host's memory where not even a short one fits", () => {
    const { args, need, shortened } = fitOf("", { most: { CUDA0: 3 * GIB, host: 60 * GIB } });
    expect(args).toEqual(["--ctx-size", "32768"]);
    expect(need.CUDA0).toBe(3 * GIB);
    expect(shortened).toEqual({ layers_on_host: true });
  });
});

describe("a context that is set", () => {
  const most = { CUDA0: 7 * GIB, host: 8 * GIB };

  test("is kept, and layers move", () => {
    const { args, shortened } = fitOf("--ctx-size 32768", { most });
    expect([args, shortened]).toEqual([[], { layers_on_host: true }]);
  });

  test("is shortened where that is allowed", () => {
    const { args, shortened } = fitOf("--ctx-size 32768", { most, fit: "auto" });
    expect(args[0]).toBe("--ctx-size");
    expect(shortened).toMatchObject({ wished_context_tokens: 32_768 });
  });

  test("is kept with all layers where nothing may be changed", () => {
    const { args, need, shortened } = fitOf("--ctx-size 32768", { most, fit: "off" });
    expect([args, shortened]).toEqual([["--fit", "off"], undefined]);
    expect(need.CUDA0).toBeGreaterThan(9 * GIB);
    expect(fitOf("", { most, fit: "off" }).args).toEqual(["--fit", "off"]);
  });

  test("of slots of their own is that of each", () => {
    expect(fitOf("--parallel 2").args).toEqual(["--ctx-size", "32768"]);
    expect(fitOf("--parallel 16").args).toEqual(["--ctx-size", "65536"]);
  });
});

test("what cannot be read takes its files' size, and llama.cpp is not told a context", () => {
  const size = { weightsBytes: GIB, extraBytes: 1, hyperparameters: undefined };
  const { args, need } = fitOf("", { size });
  expect(args).toEqual([]);
  expect(need).toEqual({ CUDA0: GIB + 1, host: 0 });
});

describe("an engine's memory is", () => {
  const estimate = { weights: 330, cache: 66, compute: 4, total: 400 };
  const place = (args: string, devices: Record<string, number>) =>
    placeMemory(estimate, { args: args.split(" "), layers: 32, devices });

  test("the host's without devices, or layers on them", () => {
    expect(place("", {})).toEqual({ host: 400 });
    expect(place("-ngl 0", { A: 9 })).toEqual({ host: 400 });
    expect(place("--device none", { A: 9 })).toEqual({ host: 400 });
  });

  test("in both by the layers", () => {
    expect(place("--gpu-layers 11", { A: 9 })).toEqual({ A: 136, host: 264 });
    expect(place("--gpu-layers=99", { A: 9 })).toEqual({ A: 400, host: 0 });
    expect(place("--no-kv-offload", { A: 9 })).toEqual({ A: 334, host: 66 });
  });

  test("on several devices by what is free, or as is said", () => {
    expect(place("", { A: 30, B: 10 })).toEqual({ A: 300, B: 100, host: 0 });
    expect(place("--tensor-split 1,3", { A: 30, B: 10 })).toEqual({ A: 100, B: 300, host: 0 });
    expect(place("--split-mode none --main-gpu 1", { A: 30, B: 10 })).toEqual({
      ...{ A: 0, B: 400, host: 0 },
    });
    expect(place("--device B", { A: 30, B: 10 })).toEqual({ B: 400, host: 0 });
  });
});
