import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { capitalizeQuantization, directoryOf, parseModelName } from "./name.ts";

test.each([
  ["gpt-oss-20b", "gpt-oss-20b"],
  ["Mistral-7B-Instruct-v0.2", "mistral-7b-instruct-v0.2"],
  ["openai/gpt-oss-20b", "openai/gpt-oss-20b"],
  ["hf/Qwen/Qwen3-0.6B-GGUF", "hf/qwen/qwen3-0.6b-gguf"],
  ["hf/Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf", "hf/qwen/qwen3-0.6b-gguf/qwen3-0.6b-q8_0"],
  ["hf/a/T/my model Q4_K_M.gguf", "hf/a/t/my model q4_k_m"],
  ["hf/a/T/T#1%20+@ (1)[T]'=Größe模型🦙.gguf", "hf/a/t/t#1%20+@ (1)[t]'=größe模型🦙"],
  [`hf/a/T/${"模".repeat(83)}.gguf`, `hf/a/t/${"模".repeat(83)}`],
])("the model %s has the folder %s", (id, folder) => {
  expect(directoryOf(id)).toBe(folder);
});

test("a quantization is split off", () => {
  expect(parseModelName("gpt-oss:20b")).toEqual({ id: "gpt-oss", quantization: "20b" });
  expect(parseModelName("a/b:Q4_K_M")).toEqual({ id: "a/b", quantization: "Q4_K_M" });
  expect(parseModelName("a/b")).toEqual({ id: "a/b" });
});

test("a quantization is in capitals for comparison, the rest of the name as it is", () => {
  expect(capitalizeQuantization("Org/m:q4_k_m")).toBe("Org/m:Q4_K_M");
  expect(capitalizeQuantization("Org/m")).toBe("Org/m");
});

describe("a name is refused", () => {
  test.each(["a:b:c", "a:", ":Q4", ":", "a:Q 4", "a:../x"])("for its colons: %p", (name) => {
    expect(() => parseModelName(name)).toThrow("The model's name");
  });

  const long = "a/".repeat(3) + "a".repeat(256);
  const deep = "a/".repeat(8);
  test.each([
    "",
    ".",
    "..",
    "../a",
    "a/../b",
    "a..",
    "/a",
    "a/",
    "a//b",
    "a\\b",
    "a\0b",
    "a*b",
    "a?b",
    " a",
    "a ",
    "a/ b",
    "a|b",
    ".hidden",
    "a/.gguf",
    "con",
    "a/NUL.gguf",
    long,
    `${deep}a`,
  ])("instead of folded into that of another: %p", (name) => {
    expect(() => directoryOf(name)).toThrow("is invalid");
  });
});

test("whatever is accepted stays below the models folder", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."aB0-_./\\:@ \0".split("")) }), (name) => {
      let folder: string;
      try {
        folder = directoryOf(parseModelName(name).id);
      } catch {
        return;
      }
      expect(folder).toMatch(/^[a-z0-9_@-]/);
      const parts = folder.split("/");
      expect(parts.every((part) => part !== "" && part !== "." && part !== "..")).toBe(true);
      expect(folder).not.toMatch(/[\\:\0A-Z]|(?:^|\/)[ .]|[ .](?:\/|$)/);
    }),
  );
});
