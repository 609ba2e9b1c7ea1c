import { expect, test } from "bun:test";
import {
  fitsPlatform,
  ggufRole,
  ggufStem,
  isGguf,
  localName,
  quantizationOf,
  splitPartName,
  splitPartOf,
} from "./filename.ts";

test.each([
  ["model-Q4_K_M.gguf", "Q4_K_M"],
  ["model.Q4_K_M.gguf", "Q4_K_M"],
  ["llmlb-tiny-q8_0.gguf", "q8_0"],
  ["Qwen3-30B-A3B-UD-IQ2_XXS-00001-of-00003.gguf", "IQ2_XXS"],
  ["mmproj-F16.gguf", "F16"],
  ["gpt-oss-20b-mxfp4.gguf", "mxfp4"],
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

test("the parts of a split file are known by their names", () => {
  const name = "big-Q4_K_M-00002-of-00003.gguf";
  expect(splitPartOf(name)).toEqual({ stem: "big-Q4_K_M", part: 2, parts: 3 });
  expect(splitPartName(name, 3)).toBe("big-Q4_K_M-00003-of-00003.gguf");
  expect(ggufStem(name)).toBe("big-Q4_K_M");
  expect(splitPartOf("big-00004-of-00003.gguf")).toBeUndefined();
  expect(splitPartOf("big-00000-of-00003.gguf")).toBeUndefined();
  expect(splitPartOf("big-00001-of-00003.safetensors")).toBeUndefined();
});

test("projectors and adapters are told from models", () => {
  expect(ggufRole("mmproj-model-f16.gguf")).toBe("projector");
  expect(ggufRole("gemma-3-4b-it-mmproj.gguf")).toBe("projector");
  expect(ggufRole("my-lora-f16.gguf")).toBe("adapter");
  expect(ggufRole("explorer-Q4_0.gguf")).toBe("model");
});

test("endings and folders", () => {
  expect(isGguf("a.GGUF")).toBe(true);
  expect(isGguf(".gguf")).toBe(false);
  expect(isGguf("a.gguf.part")).toBe(false);
  expect(localName("UD-Q4/a.gguf")).toBe("a.gguf");
  expect(localName("a.gguf")).toBe("a.gguf");
});

test("files for one platform are of no use on the others", () => {
  expect(fitsPlatform("model.metal.bin", "darwin")).toBe(true);
  expect(fitsPlatform("model.metal.bin", "linux")).toBe(false);
  expect(fitsPlatform("model.directml.bin", "win32")).toBe(true);
  expect(fitsPlatform("model.dml.bin", "darwin")).toBe(false);
  expect(fitsPlatform("model.gguf", "linux")).toBe(true);
});
