import { expect, test } from "bun:test";
import {
  distinctQuantizations,
  isSameQuantization,
  preferredProjector,
  preferredQuantization,
  quantizationOf,
} from "./quantization.ts";

test.each([
  ["model-Q4_K_M.gguf", "Q4_K_M"],
  ["model.Q4_K_M.gguf", "Q4_K_M"],
  ["llmlb-tiny-q8_0.gguf", "q8_0"],
  ["Qwen3-30B-A3B-UD-IQ2_XXS-00001-of-00003.gguf", "IQ2_XXS"],
  ["mmproj-F16.gguf", "F16"],
  ["gpt-oss-20b-mxfp4.gguf", "mxfp4"],
  ["qwen2.5-0.5b-instruct-q4_k_m.gguf", "q4_k_m"],
  ["qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", "q4_k_m"],
  ["x-BF16.gguf", "BF16"],
  ["x-FP8.gguf", "FP8"],
  ["x-Q8_0-imat.gguf", "Q8_0"],
])("the quantization of %s is %s", (name, quantization) => {
  expect(quantizationOf(name)).toBe(quantization);
});

test.each(["model.gguf", "Qwen3-0.6B.gguf", "mixtral-8x7b.gguf", "quiet-fox.gguf"])(
  "the name %s tells no quantization",
  (name) => expect(quantizationOf(name)).toBeUndefined(),
);

test("quantizations are the same in any case", () => {
  expect(isSameQuantization("q4_k_m", "Q4_K_M")).toBe(true);
  expect(isSameQuantization("Q4_K_M", "Q4_K_S")).toBe(false);
  expect(isSameQuantization(null, null)).toBe(true);
  expect(isSameQuantization(null, undefined)).toBe(true);
  expect(isSameQuantization(null, "Q8_0")).toBe(false);
});

test("quantizations that differ in case only are one", () => {
  const names = ["a-q8_0.gguf", "b-Q8_0.gguf", "a-Q2_K.gguf", "model.gguf", "q4_0.bin"];
  expect(distinctQuantizations(names)).toEqual(["q8_0", "Q2_K"]);
});

test("Q4_K_M is preferred in any case, else the largest", () => {
  const [small, preferred, large] = [
    { quantization: "q2_k", sizeBytes: 1 },
    { quantization: "q4_k_m", sizeBytes: 2 },
    { quantization: null, sizeBytes: 3 },
  ];
  expect(preferredQuantization([small, preferred, large])).toBe(preferred);
  expect(preferredQuantization([small, large])).toBe(large);
  expect(preferredQuantization([])).toBeUndefined();
});

test.each([
  [["mmproj-F32.gguf", "mmproj-bf16.gguf", "mmproj_f16.gguf"], "mmproj_f16.gguf"],
  [["mmproj-F32.gguf", "mmproj-Q8_0.gguf"], "mmproj-Q8_0.gguf"],
  [["mmproj-x.gguf", "mmproj-F32.gguf"], "mmproj-F32.gguf"],
  [["other/mmproj-F16.gguf", "mmproj-x.gguf"], "mmproj-x.gguf"],
])("of the projectors %p, weights in the root get %s", (paths, chosen) => {
  expect(preferredProjector(paths, (path) => path, "m-Q8_0.gguf")).toBe(chosen);
});
