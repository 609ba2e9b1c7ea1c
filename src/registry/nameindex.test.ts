import { describe, expect, test } from "bun:test";
import { type NameFacts, NameIndex } from "./nameindex.ts";

function row(repo: string, given: Partial<NameFacts> = {}): NameFacts {
  const { filename = null } = given;
  const id = filename === null ? `hf/${repo}` : `hf/${repo}/${filename}`;
  return { id, repo, filename, aliases: [], content: null, ...given };
}

function content(...files: [string, string | null][]): NameFacts["content"] {
  const variants = files.map(([filename, quantization]) => ({
    ...{ filename, quantization, size_bytes: 1 },
  }));
  const quantization = files.length === 1 ? (files[0]?.[1] ?? null) : null;
  return { variants, quantization, primary: files[0]?.[0] ?? "" };
}

const TWO = content(["Llama-Q4_K_M.gguf", "Q4_K_M"], ["Llama-Q8_0.gguf", "Q8_0"]);

describe("a name means", () => {
  const index = new NameIndex([
    row("acme/Llama-GGUF", { aliases: ["llama"], content: TWO }),
    row("acme/Tiny-GGUF", {
      filename: "tiny-q8_0.gguf",
      content: content(["tiny-q8_0.gguf", "q8_0"]),
    }),
  ]);

  test.each([
    ["hf/acme/Llama-GGUF", "hf/acme/Llama-GGUF"],
    ["HF/ACME/llama-gguf", "hf/acme/Llama-GGUF"],
    ["acme/Llama-GGUF", "hf/acme/Llama-GGUF"],
    ["llama", "hf/acme/Llama-GGUF"],
    ["Llama-GGUF", "hf/acme/Llama-GGUF"],
    ["Llama-Q8_0", "hf/acme/Llama-GGUF"],
    ["acme/Llama-GGUF:Q8_0", "hf/acme/Llama-GGUF"],
    ["hf/acme/Tiny-GGUF/tiny-q8_0.gguf", "hf/acme/Tiny-GGUF/tiny-q8_0.gguf"],
    ["acme/Tiny-GGUF/tiny-q8_0.gguf", "hf/acme/Tiny-GGUF/tiny-q8_0.gguf"],
    ["acme/Tiny-GGUF:Q8_0", "hf/acme/Tiny-GGUF/tiny-q8_0.gguf"],
    ["acme/Tiny-GGUF", "hf/acme/Tiny-GGUF/tiny-q8_0.gguf"],
    ["tiny-q8_0", "hf/acme/Tiny-GGUF/tiny-q8_0.gguf"],
  ])("%s is %s", (name, id) => {
    expect(index.resolve(name)?.id).toBe(id);
  });

  test("a quantization is served by what is that quantization alone", () => {
    const resolved = index.resolve("acme/llama-gguf:q4_k_m");
    expect(resolved).toMatchObject({ id: "hf/acme/Llama-GGUF", quantization: "Q4_K_M" });
    expect(resolved?.names).toContain("hf/acme/Llama-GGUF:Q4_K_M");
    expect(resolved?.names).not.toContain("acme/Llama-GGUF");
    expect(index.resolve("acme/Llama-GGUF:Q2_K")).toBeUndefined();
    expect(index.resolve("acme")).toBeUndefined();
  });
});

test("names of files in lower case are quantizations that are meant in any case", () => {
  const files = content(["qwen-q4_k_m.gguf", "q4_k_m"], ["qwen-q8_0.gguf", "q8_0"]);
  const index = new NameIndex([row("acme/Qwen-GGUF", { content: files })]);
  for (const name of ["acme/Qwen-GGUF:Q4_K_M", "acme/Qwen-GGUF:q4_k_m", "Qwen-GGUF:Q4_k_m"]) {
    expect(index.resolve(name)).toMatchObject({ id: "hf/acme/Qwen-GGUF", quantization: "q4_k_m" });
  }
});

test("marked quantizations are meant by their tags, and without marks where that is clear", () => {
  const tags = ["Q4_K_M", "UD-Q4_K_M", "UD-Q6_K_XL"];
  const files = content(...tags.map((tag): [string, string] => [`T-${tag}.gguf`, tag]));
  const index = new NameIndex([row("acme/T-GGUF", { content: files })]);
  for (const tag of tags) {
    expect(index.resolve(`acme/T-GGUF:${tag}`)).toMatchObject({ quantization: tag });
  }
  expect(index.resolve("acme/t-gguf:q6_k_xl")).toMatchObject({ quantization: "UD-Q6_K_XL" });
});

test("a file that is registered for itself has its quantization", () => {
  const file = { filename: "Llama-Q8_0.gguf", content: content(["Llama-Q8_0.gguf", "Q8_0"]) };
  const both = [row("acme/Llama-GGUF", { content: TWO }), row("acme/Llama-GGUF", file)];
  for (const rows of [both, [...both].reverse()]) {
    const index = new NameIndex(rows);
    const id = "hf/acme/Llama-GGUF/Llama-Q8_0.gguf";
    expect(index.resolve("acme/Llama-GGUF:Q8_0")).toMatchObject({ id });
    expect(index.resolve("acme/Llama-GGUF:Q8_0")?.quantization).toBeUndefined();
    expect(index.resolve("acme/Llama-GGUF/Llama-Q8_0.gguf")).toMatchObject({ id });
    expect(index.resolve("acme/Llama-GGUF")).toMatchObject({ id: "hf/acme/Llama-GGUF" });
    expect(index.resolve("acme/Llama-GGUF:Q4_K_M")?.id).toBe("hf/acme/Llama-GGUF");
    // Both have such a file: a server that lists its name may have either.
    expect(index.resolve("Llama-Q8_0")).toBeUndefined();
  }
});

test("what two models could be called means neither; stronger names stay", () => {
  const rows = ["one/Qwen3", "two/Qwen3"].map((repo) => row(repo, { content: content() }));
  const index = new NameIndex([...rows, row("x/y", { aliases: ["two/Qwen3"] })]);
  expect(index.resolve("Qwen3")).toBeUndefined();
  expect(index.resolve("one/Qwen3")?.names).toEqual([
    ...["hf/one/Qwen3", "one/Qwen3", "hf/one/qwen3", "one/qwen3"],
  ]);
  expect(index.resolve("two/Qwen3")?.id).toBe("hf/x/y");
  const files = ["a/x", "a/y"].map((repo) => row(repo, { filename: "model.gguf" }));
  expect(new NameIndex(files).resolve("model")).toBeUndefined();
  const one = new NameIndex(files.slice(0, 1));
  expect(one.resolve("model.gguf")).toBeUndefined();
});
