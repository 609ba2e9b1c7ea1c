import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TINY_FILE } from "../../testkit/engine.ts";
import { ModelsFolder } from "../../testkit/modelsfolder.ts";
import { PullBench } from "../../testkit/pullbench.ts";
import { ModelSources } from "./modelsources.ts";

const root = new ModelsFolder();
const at = (...parts: string[]) => join(root.path, ...parts);
const folders = { hub: [at("hub")], lmStudio: [at("lm"), at("absent")], ollama: [at("ollama")] };
const digest = "a".repeat(64);

function put(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(TINY_FILE, path);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

beforeAll(() => {
  const repo = at("hub/models--Acme--Tiny-GGUF");
  put(join(repo, `blobs/${digest}`));
  for (const revision of ["c1", "c2"]) {
    mkdirSync(join(repo, "snapshots", revision), { recursive: true });
    symlinkSync(`../../blobs/${digest}`, join(repo, "snapshots", revision, "T-Q8_0.gguf"));
  }
  symlinkSync(`../../blobs/${digest}`, join(repo, "snapshots/c1/T-Q4_0.gguf"));
  write(join(repo, "refs/main"), "c1\n");
  write(at("hub/models--acme--safe/snapshots/c/model.safetensors"), "x");
  write(at("hub/models--acme--broken/snapshots/c/model.gguf"), "no gguf");
  put(at("lm/acme/tiny-gguf/T-Q8_0.gguf"));
  put(at("lm/acme/other/O-Q8_0.gguf"));
  put(at(`ollama/blobs/sha256-${digest}`));
  const layer = (kind: string, hash: string) => {
    return { mediaType: `application/vnd.ollama.image.${kind}`, digest: `sha256:${hash}` };
  };
  const manifest = (...layers: object[]) => JSON.stringify({ schemaVersion: 2, layers });
  const names = at("ollama/manifests");
  write(join(names, "registry.ollama.ai/library/tiny/latest"), manifest(layer("model", digest)));
  write(join(names, "registry.ollama.ai/library/tiny/1b"), manifest(layer("model", digest)));
  write(join(names, "registry.ollama.ai/jo/mine/q4"), manifest(layer("model", digest)));
  write(join(names, "hf.co/acme/tiny/Q8_0"), manifest(layer("model", digest)));
  write(
    join(names, "registry.ollama.ai/library/gone/latest"),
    manifest(layer("model", "b".repeat(64))),
  );
  write(join(names, "registry.ollama.ai/library/evil/latest"), manifest(layer("model", "../../x")));
  write(join(names, "registry.ollama.ai/library/bad/latest"), "{");
});
afterAll(() => root[Symbol.dispose]());

test("models of the hub's cache, LM Studio and Ollama have the ids that fit", async () => {
  const found = await new ModelSources(folders).list();
  const seen = found.map(({ owner, model, aliases, otherQuantizations }) => {
    const tags = [model, ...otherQuantizations].map(({ quantization }) => quantization);
    return [model.id, owner, tags.sort().join(), aliases.join()];
  });
  expect(seen.sort()).toEqual([
    ["hf/Acme/Tiny-GGUF", "Hugging Face cache", "Q4_0,Q8_0", ""],
    ["hf/acme/other", "LM Studio", "Q8_0", ""],
    ["ollama/hf.co/acme/tiny:Q8_0", "Ollama", "", ""],
    ["ollama/jo/mine:q4", "Ollama", "", ""],
    ["ollama/tiny:1b", "Ollama", "", ""],
    ["ollama/tiny:latest", "Ollama", "", "ollama/tiny"],
  ]);
});

test("a model is found by its names, in any case", async () => {
  const sources = new ModelSources(folders);
  const idOf = async (name: string) => (await sources.find(name))?.model.id;
  expect(await idOf("acme/tiny-gguf")).toBe("hf/Acme/Tiny-GGUF");
  expect(await idOf("HF/acme/tiny-gguf:Q8_0")).toBe("hf/Acme/Tiny-GGUF");
  expect(await idOf("ollama/tiny")).toBe("ollama/tiny:latest");
  expect(await idOf("ollama/tiny:7b")).toBeUndefined();
  expect(await idOf("acme/safe")).toBeUndefined();
});

test.each(["hub", "ollama", "lmStudio"] as const)(
  "a pull links the same file of %s instead of fetching it, and no other",
  async (kind) => {
    await using bench = await PullBench.start();
    const same = bench.hub.add("same-Q4_0.gguf", 50_000);
    const other = bench.hub.add("other-Q4_0.gguf", 40_000);
    const content = bench.hub.files.get("/same-Q4_0.gguf") ?? Buffer.alloc(0);
    using store = new ModelsFolder();
    const paths = {
      hub: (hash: string | null) => `models--x--y/blobs/${hash}`,
      ollama: (hash: string | null) => `blobs/sha256-${hash}`,
      lmStudio: (_: string | null, name: string) => `org/model/${name}`,
    };
    const place = (one: typeof same) => join(store.path, paths[kind](one.sha256, one.filename));
    for (const path of [place(same), place(other)]) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(place(same), content);
    // It has the name and size of the file, but other bytes.
    writeFileSync(place(other), Buffer.alloc(40_000));
    const sources = { hub: [], lmStudio: [], ollama: [], [kind]: [store.path] };
    const puller = bench.puller({ sources });
    const manifest = { repo: "org/model" };
    const { files } = await bench.pull([same, other], { puller, manifest });
    expect(bench.isWhole(same) && bench.isWhole(other)).toBe(true);
    expect(files.map(({ sha256 }) => sha256).sort()).toEqual([same.sha256, other.sha256].sort());
    expect(bench.hub.servedBytes).toBe(40_000);
    expect(statSync(bench.path("same-Q4_0.gguf")).ino).toBe(statSync(place(same)).ino);
  },
);
