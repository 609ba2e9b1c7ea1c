import { expect, test } from "bun:test";
import { type GgufRole, ggufRole, ggufRoleIn } from "./ggufrole.ts";

test.each<[string, GgufRole]>([
  ["mmproj-model-f16.gguf", "projector"],
  ["gemma-3-4b-it-mmproj.gguf", "projector"],
  ["V-vision-encoder-f16.gguf", "projector"],
  ["V.audio_projector.gguf", "projector"],
  ["Vision-Encoder-Decoder-7B-Q4_0.gguf", "model"],
  ["my-lora-f16.gguf", "adapter"],
  ["explorer-Q4_0.gguf", "model"],
  ["mtp-T-Q8_0.gguf", "drafter"],
  ["GLM-4.5-MTP-Q4_0.gguf", "model"],
  ["mtp.gguf", "model"],
  ["T-imatrix.gguf", "imatrix"],
  ["T.imatrix.gguf", "imatrix"],
  ["imatrix_unsloth.gguf", "imatrix"],
  ["T-Q8_0-imat.gguf", "model"],
  ["ggml-vocab-t.gguf", "vocabulary"],
  ["T-vocab.gguf", "vocabulary"],
  ["T-vocab-ext-Q4_0.gguf", "model"],
  ["lora/T-Q4_0.gguf", "model"],
])("by its name, %s is %s", (name, role) => expect(ggufRole(name)).toBe(role));

test.each<[string, string, string, GgufRole]>([
  ["T-lora-merged-Q4_0.gguf", "general.type", "model", "model"],
  ["T-lora-merged-Q4_0.gguf", "general.architecture", "llama", "model"],
  ["T-Q4_K_M-imatrix.gguf", "general.type", "model", "model"],
  ["style.gguf", "general.type", "adapter", "adapter"],
  ["V-eyes-f16.gguf", "general.type", "mmproj", "projector"],
  ["V-eyes-f16.gguf", "general.architecture", "clip", "projector"],
  ["T-data.gguf", "general.type", "imatrix", "imatrix"],
  ["T-data.gguf", "general.type", "control-vector", "other"],
  ["mtp-T-Q8_0.gguf", "general.type", "model", "drafter"],
  ["mmproj-F16.gguf", "general.type", "model", "projector"],
  ["my-lora.gguf", "general.name", "x", "adapter"],
])("%s with %s = %s is %s", (name, key, value, role) => {
  expect(ggufRoleIn(name, new Map([[key, value]]))).toBe(role);
});

test("without a header the name counts", () => {
  expect(ggufRoleIn("my-lora.gguf", undefined)).toBe("adapter");
  expect(ggufRoleIn("my.gguf", undefined)).toBe("model");
});
