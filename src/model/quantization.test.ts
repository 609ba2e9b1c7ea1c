import { expect, test } from "bun:test";
import {
  clearTags,
  distinctQuantizations,
  isSameQuantization,
  preferredProjector,
  preferredQuantization,
  quantizationInHeader,
  quantizationOf,
  untaggedStem,
  weightsWithTag,
} from "./quantization.ts";

test.each([
  ["model-Q4_K_M.gguf", "Q4_K_M"],
  ["model.Q4_K_M.gguf", "Q4_K_M"],
  ["llmlb-tiny-q8_0.gguf", "q8_0"],
  ["Qwen3-30B-A3B-UD-IQ2_XXS-00001-of-00003.gguf", "UD-IQ2_XXS"],
  ["A-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"],
  ["UD-Q6_K_XL/A-UD-Q6_K_XL-00001-of-00002.gguf", "UD-Q6_K_XL"],
  ["A.i1-Q4_K_M.gguf", "i1-Q4_K_M"],
  ["A-UD.Q4_K_M.gguf", "Q4_K_M"],
  ["m_Q4_K_M.gguf", "Q4_K_M"],
  ["m_q8_0.gguf", "q8_0"],
  ["L-V2_Q8.gguf", "Q8"],
  ["a_b_c_f16.gguf", "f16"],
  ["my model Q4_K_M.gguf", "Q4_K_M"],
  ["模型Q4_K_M.gguf", "Q4_K_M"],
  ["T (1)-Q4_K_M.gguf", "Q4_K_M"],
  ["x-TQ1_0.gguf", "TQ1_0"],
  ["x-NVFP4.gguf", "NVFP4"],
  ["x-MXFP4_MOE.gguf", "MXFP4_MOE"],
  ["Q8_0/T-00001-of-00002.gguf", "Q8_0"],
  ["UD-Q2_K_XL/T.gguf", "UD-Q2_K_XL"],
  ["Q8_0/T-Q4_0.gguf", "Q4_0"],
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

test.each([
  "model.gguf",
  "Qwen3-0.6B.gguf",
  "mixtral-8x7b.gguf",
  "quiet-fox.gguf",
  "a_quick_fox.gguf",
])("the name %s tells no quantization", (name) => expect(quantizationOf(name)).toBeUndefined());

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

test("a plain quantization is preferred to a marked one, and that to the largest", () => {
  const named = (quantization: string, sizeBytes: number) => ({ quantization, sizeBytes });
  const [marked, plain] = [named("UD-Q4_K_M", 3), named("Q4_K_M", 2)];
  const large = named("Q8_0", 9);
  expect(preferredQuantization([marked, plain, large])).toBe(plain);
  expect(preferredQuantization([large, marked])).toBe(marked);
});

const WEIGHTS = ["T-Q4_K_M", "T-UD-Q4_K_M", "T-UD-Q4_K_XL", "T-NEW3_X", "Z9/T-z"].map((stem) => {
  return { stem, quantization: quantizationOf(`${stem}.gguf`) };
});

test.each([
  ["Q4_K_M", ["T-Q4_K_M"]],
  ["ud-q4_k_m", ["T-UD-Q4_K_M"]],
  ["Q4_K_XL", ["T-UD-Q4_K_XL"]],
  ["NEW3_X", ["T-NEW3_X"]],
  ["Z9", ["Z9/T-z"]],
  ["K_M", ["T-Q4_K_M", "T-UD-Q4_K_M"]],
  ["4_K_M", []],
  ["Q8_0", []],
])("the tag %s names %p", (tag, stems) => {
  expect(weightsWithTag(WEIGHTS, tag).map(({ stem }) => stem)).toEqual(stems);
});

test("a mark may be left out where no other file has the same scheme", () => {
  expect(clearTags("UD-Q4_K_XL", ["UD-Q4_K_XL", "Q8_0"])).toEqual(["UD-Q4_K_XL", "Q4_K_XL"]);
  expect(clearTags("UD-Q4_K_M", ["UD-Q4_K_M", "Q4_K_M"])).toEqual(["UD-Q4_K_M"]);
  expect(clearTags("Q4_K_M", ["UD-Q4_K_M", "Q4_K_M"])).toEqual(["Q4_K_M"]);
});

test("the files of one model have one name without their tags", () => {
  const names = [
    "T-Q4_K_M.gguf",
    "a/T-UD-Q8_0-00001-of-00002.gguf",
    "t.i1-IQ2_M.gguf",
    "T_f16.gguf",
  ];
  expect(new Set(names.map(untaggedStem))).toEqual(new Set(["t"]));
  expect(untaggedStem("T-eyes-f16.gguf")).toBe("t-eyes");
  expect(untaggedStem("Größe.gguf")).toBe("größe");
});

test("the header tells the quantization, too", () => {
  expect(quantizationInHeader(new Map([["general.file_type", 15]]))).toBe("Q4_K_M");
  expect(quantizationInHeader(new Map([["general.file_type", 999]]))).toBeUndefined();
  expect(quantizationInHeader(undefined)).toBeUndefined();
});

test.each([
  [["mmproj-F32.gguf", "mmproj-bf16.gguf", "mmproj_f16.gguf"], "mmproj_f16.gguf"],
  [["mmproj-F32.gguf", "mmproj-Q8_0.gguf"], "mmproj-Q8_0.gguf"],
  [["mmproj-x.gguf", "mmproj-F32.gguf"], "mmproj-F32.gguf"],
  [["other/mmproj-F16.gguf", "mmproj-x.gguf"], "mmproj-x.gguf"],
])("of the projectors %p, weights in the root get %s", (paths, chosen) => {
  expect(preferredProjector(paths, (path) => path, "m-Q8_0.gguf")).toBe(chosen);
});
