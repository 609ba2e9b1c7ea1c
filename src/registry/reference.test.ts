import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError } from "../wire/error.ts";
import { checkFilename, parseReference, type Reference } from "./reference.ts";

const HUB = "https://huggingface.co";
const MIRROR = "http://127.0.0.1:8123/mirror";
const repo = "Qwen/Qwen3-0.6B-GGUF";
const filename = "sub/Qwen3-0.6B-Q8_0.gguf";
const sha = "0123456789abcdef0123456789abcdef01234567";

describe("a reference is read from", () => {
  test.each<[string, Reference]>([
    ["Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["  Qwen/Qwen3-0.6B-GGUF/ ", { repo }],
    ["hf/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["hf://Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["hf.co/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["https://hf.co/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["huggingface.co/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["HTTPS://www.HuggingFace.co/Qwen/Qwen3-0.6B-GGUF?library=transformers#x", { repo }],
    ["https://huggingface.co/models/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["https://huggingface.co/api/models/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/discussions/3", { repo }],
    ["https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/tree/main", { repo }],
    ["https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/tree/main/sub", { repo, folder: "sub" }],
    [`https://huggingface.co/${repo}/tree/v1/a/b`, { repo, folder: "a/b", revision: "v1" }],
    [`https://huggingface.co/${repo}/tree/main/${filename}`, { repo, filename }],
    [`https://huggingface.co/api/models/${repo}/revision/v1`, { repo, revision: "v1" }],
    [
      `https://huggingface.co/${repo}?x=1&show_file_info=sub%2FT-Q8_0.gguf`,
      {
        ...{ repo, filename: "sub/T-Q8_0.gguf" },
      },
    ],
    [
      `https://huggingface.co/${repo}/blob/main/my%20model%231.gguf`,
      {
        ...{ repo, filename: "my model#1.gguf" },
      },
    ],
    [`${repo}/resolve/main/my%20model.gguf?download=true`, { repo, filename: "my model.gguf" }],
    [
      `hf/${repo}/my model #1?%20+ (1)[T]'=Größe模型🦙.gguf`.replace("?", ""),
      {
        ...{ repo, filename: "my model #1%20+ (1)[T]'=Größe模型🦙.gguf" },
      },
    ],
    [`${repo}?library=transformers#x`, { repo }],
    [`https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/commit/${sha}`, { repo, revision: sha }],
    [`https://huggingface.co/${repo}/tree/refs%2Fpr%2F1`, { repo, revision: "refs/pr/1" }],
    [`https://huggingface.co/${repo}/blob/main/${filename}`, { repo, filename }],
    [`https://huggingface.co/${repo}/resolve/main/${filename}?download=true`, { repo, filename }],
    [`huggingface.co/${repo}/raw/v1.0/${filename}`, { repo, filename, revision: "v1.0" }],
    [`${repo}/resolve/refs/pr/7/${filename}`, { repo, filename, revision: "refs/pr/7" }],
    [`${repo}/${filename}`, { repo, filename }],
    [`hf/${repo}/${filename}`, { repo, filename }],
    [`${repo}:Q4_K_M`, { repo, quantization: "Q4_K_M" }],
    ["https://cdn.hf.co/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["https://huggingface.co:443/Qwen/Qwen3-0.6B-GGUF", { repo }],
    ["https://huggingface.co./Qwen/Qwen3-0.6B-GGUF", { repo }],
  ])("%s", (text, reference) => {
    expect(parseReference(text, HUB)).toEqual(reference);
  });

  test("a mirror's addresses, with the path that it has", () => {
    for (const base of [MIRROR, MIRROR.slice(7)]) {
      expect(parseReference(`${base}/${repo}/blob/main/${filename}`, MIRROR)).toEqual({
        ...{ repo, filename },
      });
    }
    expect(parseReference(`https://huggingface.co/${repo}`, MIRROR)).toEqual({ repo });
    for (const base of ["https://HF.example:443", "https://hf.example.", "hf.example:443"]) {
      const reference = parseReference(`${base}/m/${repo}`, "https://hf.example/m");
      expect(reference).toEqual({ repo });
    }
  });
});

test.each([
  ...["", "gpt2", "a/", "/", "a//", "https://huggingface.co", "https://huggingface.co/gpt2"],
  ...["https://example.com/a/b", "ftp://huggingface.co/a/b", "file:///a/b", "a/b:c:d", "a/b:"],
  ...["https://huggingface.co/datasets/a/b", "spaces/a/b", "../b", "a/..", "a/b..c", "a b/c"],
  ...["a\\b", "a/%ZZ", "a/b/blob/main/../x.gguf", "a/b/resolve/../x.gguf", "-a/b", "a/b\0c"],
  ...["https://huggingface.co.evil.example/a/b", "https://user@evil.example/a/b"],
  ...["https://huggingface.co@evil.example/a/b", "https://evil.example%2f.hf.co/a/b"],
  ...["a/b/Q8_0", "a/b/T-Q8_0", "a/b/T-Q8_0.ggu", "a/b/T-Q8_0.gguf:Q4_K_M", "a/b/c?d.gguf"],
  ...["https://huggingface.co/a/b/blob/main/sub/T-Q8_0.gguf:Q4_K_M", "a/b:Q8_0/T-Q4_0.gguf"],
  ...["https://huggingface.co/a/b/commit/main/x", "https://huggingface.co/a/b/nothing"],
])("no reference: %j", (text) => {
  expect(() => parseReference(text, HUB)).toThrow(ApiError);
});

test("any text is a reference or refused, and what is read is safe", () => {
  const part = fc.oneof(
    fc.constantFrom("https://", "huggingface.co", "hf.co", "/", "resolve", "blob", "tree", "main"),
    fc.constantFrom("..", "%2F", "%", "\\", ":", "?", "#", "a", "org/name", "x.gguf", "refs", "\0"),
    fc.string({ maxLength: 8 }),
  );
  const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.constantFrom(HUB, MIRROR), (given, hub) => {
      try {
        const reference = parseReference(given, hub);
        expect(reference.repo).toMatch(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/);
        expect(JSON.stringify(reference)).not.toMatch(/\.\.|\\/);
        if (reference.filename !== undefined) checkFilename(reference.filename);
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        expect(error).toMatchObject({ status: 400 });
      }
    }),
    { numRuns: 3000 },
  );
});
