import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { CONFIG, ggufBytes, ModelsFolder } from "../testkit/modelsfolder.ts";
import type { StoredModel } from "./descriptor.ts";
import { Store } from "./store.ts";

/** The name of a model's first file, or why there is none. */
async function primaryOf(models: ModelsFolder, name: string, platform?: string): Promise<string> {
  try {
    const model = await new Store(models.path, platform).find(name);
    return model?.primary.name ?? "absent";
  } catch (error) {
    return String(error);
  }
}

describe("GGUF", () => {
  test.each([
    [["model.gguf", "other.gguf"], "model.gguf"],
    [["M.gguf", "other.gguf"], "M.gguf"],
    [["single.GGUF"], "single.GGUF"],
    [["weights-Q4_0.gguf", "mmproj-F16.gguf", "my-lora.gguf"], "weights-Q4_0.gguf"],
  ])("of %p, the model is %s", async (names, primary) => {
    using models = new ModelsFolder();
    for (const name of names) models.write({ [`org/m/${name}`]: "x" });
    expect(await primaryOf(models, "org/m")).toBe(primary);
  });

  test("several files without a hint are ambiguous, and the error names them", async () => {
    using models = new ModelsFolder().write({ "m/a-Q4_0.gguf": "x", "m/a-Q8_0.gguf": "x" });
    expect(await primaryOf(models, "m")).toContain("a-Q4_0, a-Q8_0");
    expect(await primaryOf(models, "m:Q8_0")).toBe("a-Q8_0.gguf");
    models.write({ "m/manifest.json": { quantization: "Q4_0" } });
    expect(await primaryOf(models, "m")).toBe("a-Q4_0.gguf");
  });

  test("the quantization is found in any case", async () => {
    using models = new ModelsFolder().write({ "m/m-Q4_K_M.gguf": "x", "m/m-Q8_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q4_K_M")).toBe("m-Q4_K_M.gguf");
    expect(await primaryOf(models, "m:q4_k_m")).toBe("m-Q4_K_M.gguf");
    models.write({ "n/n-q4_k_m.gguf": "x", "n/n-q8_0.gguf": "x" });
    expect(await primaryOf(models, "n:Q4_K_M")).toBe("n-q4_k_m.gguf");
  });

  test("the folder's own name goes before others, two alike are none", async () => {
    using models = new ModelsFolder().write({ "m/m-Q4_0.gguf": "x", "m/x-Q4_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q4_0")).toBe("m-Q4_0.gguf");
    models.write({ "m/m.Q4_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q4_0")).toContain("no single file");
  });

  test("model.gguf has the quantization that the record names", async () => {
    using models = new ModelsFolder().write({
      "m/model.gguf": "x",
      "m/manifest.json": { quantization: "Q5_K_M" },
    });
    expect(await primaryOf(models, "m:Q5_K_M")).toBe("model.gguf");
    expect(await primaryOf(models, "m:Q4_0")).toContain("no single file");
  });

  test("a split file is one model, once all of its parts are there", async () => {
    using models = new ModelsFolder().write({
      "m/big-Q4_0-00001-of-00002.gguf": "x",
      "m/big-Q4_0-00002-of-00002.gguf": "",
    });
    expect(await primaryOf(models, "m")).toContain("parts are missing: big-Q4_0-00002-of-00002");
    models.write({ "m/big-Q4_0-00002-of-00002.gguf": "y" });
    const model = await new Store(models.path).find("m:Q4_0");
    expect(model?.weights.map(({ name }) => name)).toEqual([
      "big-Q4_0-00001-of-00002.gguf",
      "big-Q4_0-00002-of-00002.gguf",
    ]);
  });

  test("projectors and adapters lie beside, also if only metadata tells them", async () => {
    using models = new ModelsFolder().write({ "m/w-Q4_0.gguf": "x", "m/mmproj-BF16.gguf": "x" });
    models.write({ "m/mmproj-F16.gguf": "x" });
    writeFileSync(join(models.path, "m/style.gguf"), ggufBytes({ "general.type": "adapter" }));
    const model = await new Store(models.path).find("m");
    expect(model?.projector?.name).toBe("mmproj-F16.gguf");
    expect(model?.adapters.map(({ name }) => name)).toEqual(["style.gguf"]);
    expect(model?.quantization).toBe("Q4_0");
  });

  test("the architecture comes from the file itself", async () => {
    using models = new ModelsFolder().write({ "m/x": "" });
    const bytes = ggufBytes({ "general.architecture": "qwen3moe" });
    writeFileSync(join(models.path, "m/model.gguf"), bytes);
    const model = await new Store(models.path).find("m");
    expect(model).toMatchObject({ architecture: "qwen3moe", family: "qwen", runtime: "llama_cpp" });
    expect(model?.capabilities).toEqual(["text", "embeddings"]);
  });
});

const SHARDS = { a: "s-1.safetensors", b: "s-2.safetensors" };

describe("safetensors", () => {
  const whole = { "m/config.json": CONFIG, "m/tokenizer.json": {} };

  test("an index beats a single file and needs all of its shards", async () => {
    using models = new ModelsFolder().write({
      ...whole,
      "m/model.safetensors.index.json": {
        weight_map: SHARDS,
      },
      "m/s-1.safetensors": "x",
      "m/s-2.safetensors": "",
    });
    expect(await primaryOf(models, "m")).toContain("shards are missing: s-2.safetensors");
    models.write({ "m/s-2.safetensors": "x" });
    expect(await primaryOf(models, "m")).toBe("model.safetensors.index.json");
    models.write({ "m/another.safetensors.index.json": { weight_map: {} } });
    expect(await primaryOf(models, "m")).toContain("more than one safetensors index");
  });

  test("an index that is empty is one; one that is broken or leads elsewhere is none", async () => {
    using models = new ModelsFolder().write({ ...whole, "m/a.safetensors.index.json": "{" });
    expect(await primaryOf(models, "m")).toContain("is no JSON");
    models.write({ "m/a.safetensors.index.json": { weight_map: { a: "../x.safetensors" } } });
    expect(await primaryOf(models, "m")).toContain('names "../x.safetensors"');
    models.write({ "m/a.safetensors.index.json": { other: 1 } });
    expect(await primaryOf(models, "m")).toContain("no weight_map");
    models.write({ "m/a.safetensors.index.json": { weight_map: {} } });
    expect(await primaryOf(models, "m")).toBe("a.safetensors.index.json");
  });

  test("without an index there is exactly one file, with configuration and tokenizer", async () => {
    using models = new ModelsFolder().write({ "m/model.safetensors": "x" });
    expect(await primaryOf(models, "m")).toContain("config.json is missing");
    models.write({ "m/config.json": CONFIG, "m/tokenizer.json": "" });
    expect(await primaryOf(models, "m")).toContain("tokenizer.json is missing");
    models.write(whole);
    const model = await new Store(models.path).find("m");
    expect(model).toMatchObject({ format: "safetensors", family: "qwen", capabilities: ["text"] });
    models.write({ "m/second.safetensors": "x" });
    expect(await primaryOf(models, "m")).toContain("more than one safetensors file");
  });

  test("GGUF goes first, unless the record prefers or excludes a format", async () => {
    using models = new ModelsFolder().write({ ...whole, "m/model.safetensors": "x" });
    models.write({ "m/model.gguf": "x" });
    expect(await primaryOf(models, "m")).toBe("model.gguf");
    models.write({ "m/manifest.json": { formats: ["safetensors", "gguf"] } });
    expect(await primaryOf(models, "m")).toBe("model.safetensors");
    models.write({ "m/manifest.json": { format: "safetensors" } });
    expect(await primaryOf(models, "m:Q4_0")).toContain("no format has the quantization Q4_0");
    models.write({ "m/manifest.json": "broken" });
    expect(await primaryOf(models, "m")).toBe("model.gguf");
  });
});

describe("listing", () => {
  test("names what can be found, says why the rest cannot, and never lists parts", async () => {
    using models = new ModelsFolder().write({
      "org/one/anything.gguf": "x",
      "org/one/nested/model.gguf": "x",
      "org/two/a.gguf": "x",
      "org/two/b.gguf": "x",
      "org/three/model.gguf": "",
      "org/four/model.gguf.part": "x",
      "org/four/model.gguf.part.json": "{}",
      "org/four/manifest.json.part": { id: "org/Four" },
      "org/with space/model.gguf": "x",
      "model.gguf": "x",
    });
    const { models: found, unusable } = await new Store(models.path).list();
    expect(found.map(({ id }) => id)).toEqual(["org/one", "org/one/nested"]);
    expect(unusable.map(({ id }) => id)).toEqual(["org/two"]);
  });

  test("ids keep their case where the record says them", async () => {
    using models = new ModelsFolder().write({
      "hf/org/name/x.gguf": "x",
      "hf/org/name/manifest.json": { id: "hf/Org/Name" },
      "hf/org/lie/x.gguf": "x",
      "hf/org/lie/manifest.json": { id: "hf/Org/Other" },
      "Hand/Made/x.gguf": "x",
    });
    const store = new Store(models.path);
    const { models: found } = await store.list();
    expect(found.map(({ id }) => id)).toEqual(["Hand/Made", "hf/org/lie", "hf/Org/Name"]);
    expect((await store.find("hf/Org/Name"))?.id).toBe("hf/Org/Name");
    expect((await store.find("Org/Name"))?.id).toBe("hf/Org/Name");
    expect(await store.find("hf/org/name")).toBeUndefined();
    expect((await store.find("hand/made"))?.id).toBe("Hand/Made");
  });

  test("links are followed, also in circles", async () => {
    using elsewhere = new ModelsFolder().write({ "w.gguf": "x", "m/model.gguf": "y" });
    using models = new ModelsFolder().write({ "a/b/c": "" });
    symlinkSync(join(elsewhere.path, "w.gguf"), join(models.path, "a/b/linked.gguf"));
    symlinkSync(join(models.path, "gone"), join(models.path, "a/b/gone.gguf"));
    symlinkSync(join(elsewhere.path, "m"), join(models.path, "a/m"));
    symlinkSync(models.path, join(models.path, "a/circle"));
    const { models: found } = await new Store(models.path).list();
    expect(found.map(({ id }) => id)).toEqual(["a/b", "a/m"]);
  });

  test("files for another platform do not count", async () => {
    using models = new ModelsFolder().write({ "m/model.metal.bin": "x", "m/model.gguf": "x" });
    expect(await primaryOf(models, "m", "linux")).toBe("model.gguf");
  });

  test("a models folder that does not exist is empty", async () => {
    const store = new Store("/nonexistent/models");
    expect(await store.list()).toEqual({ models: [], unusable: [], records: new Map() });
    expect(await store.find("a")).toBeUndefined();
    expect(await store.remove("a")).toBe(false);
  });

  const names = fc.constantFrom("model.gguf", "m.gguf", "x-Q4_0.gguf", "x-00001-of-00002.gguf");
  const folders = fc.constantFrom("m", "org/m", "Org/M", "hf/org/m", "a/b.gguf", "a/b");
  test("agrees with resolution, whatever lies there", async () => {
    const file = fc.tuple(folders, names, fc.constantFrom("", "x"));
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 8 }), async (files) => {
        using models = new ModelsFolder();
        for (const [folder, name, content] of files)
          models.write({ [`${folder}/${name}`]: content });
        const store = new Store(models.path);
        const { models: found, unusable } = await store.list();
        for (const model of found) expect(await store.find(model.id)).toEqual(model as StoredModel);
        for (const { id, reason } of unusable) {
          expect(await primaryOf(models, id)).toContain(reason);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("removal", () => {
  test("takes the folder and parents that are empty then", async () => {
    using models = new ModelsFolder().write({ "org/a/model.gguf": "x", "org/a/sub/notes": "x" });
    const store = new Store(models.path);
    expect(await store.remove("org/a")).toBe(true);
    expect(existsSync(join(models.path, "org"))).toBe(false);
    expect(existsSync(models.path)).toBe(true);
  });

  test("of a model that does not exist is no failure", async () => {
    using models = new ModelsFolder();
    expect(await new Store(models.path).remove("org/a")).toBe(false);
  });

  test("leaves models in folders below and beside", async () => {
    using models = new ModelsFolder().write({
      "org/a/model.gguf": "x",
      "org/a/b/model.gguf": "x",
      "org/c/model.gguf": "x",
    });
    const store = new Store(models.path);
    await store.remove("org/a");
    expect((await store.list()).models.map(({ id }) => id)).toEqual(["org/a/b", "org/c"]);
  });

  test("never leaves the models folder", async () => {
    using elsewhere = new ModelsFolder().write({ "m/model.gguf": "x", "w.gguf": "x" });
    using models = new ModelsFolder().write({ "b/model.gguf": "x" });
    symlinkSync(elsewhere.path, join(models.path, "org"));
    symlinkSync(join(elsewhere.path, "m"), join(models.path, "linked"));
    symlinkSync(elsewhere.path, join(models.path, "b/inside"));
    const store = new Store(models.path);
    const outside = await store.remove("../x").catch((error: unknown) => String(error));
    expect(outside).toContain("is invalid");
    await store.remove("linked");
    await store.remove("b");
    const refused = await store.remove("org/m").catch((error: unknown) => String(error));
    expect(refused).toContain("outside of the models folder");
    expect(existsSync(join(elsewhere.path, "m/model.gguf"))).toBe(true);
    expect(existsSync(join(elsewhere.path, "w.gguf"))).toBe(true);
    expect(existsSync(join(models.path, "linked"))).toBe(false);
  });

  test("for sync takes only what sync placed and nobody changed", async () => {
    using models = new ModelsFolder();
    const at = new Date(1_700_000_000_000);
    const entry = (name: string, placed_by: string) => ({
      ...{ name, placed_by, size_bytes: 1, sha256: null, mtime_ms: at.getTime() },
    });
    const names = ["ours.gguf", "theirs.gguf", "changed.gguf"];
    for (const name of names) models.write({ [`m/${name}`]: "x" });
    utimesSync(join(models.path, "m/ours.gguf"), at, at);
    utimesSync(join(models.path, "m/theirs.gguf"), at, at);
    const files = [entry("ours.gguf", "sync"), entry("theirs.gguf", "user")];
    models.write({
      "m/manifest.json": { id: "M", files: [...files, entry("changed.gguf", "sync")] },
    });
    const store = new Store(models.path);
    expect(await store.removeSynced("M")).toEqual(["ours.gguf"]);
    expect(existsSync(join(models.path, "m/theirs.gguf"))).toBe(true);
    expect(existsSync(join(models.path, "m/changed.gguf"))).toBe(true);
    expect(await store.removeSynced("M")).toEqual([]);
    expect(await store.removeSynced("absent")).toEqual([]);
  });

  test("for sync takes the folder too when nothing else is in it", async () => {
    using models = new ModelsFolder().write({ "org/m/model.gguf": "x" });
    const at = new Date(1_700_000_000_000);
    utimesSync(join(models.path, "org/m/model.gguf"), at, at);
    const file = { name: "model.gguf", size_bytes: 1, sha256: null, mtime_ms: at.getTime() };
    models.write({ "org/m/manifest.json": { files: [{ ...file, placed_by: "sync" }] } });
    mkdirSync(join(models.path, "other"));
    await new Store(models.path).removeSynced("org/m");
    expect(existsSync(join(models.path, "org"))).toBe(false);
  });
});

describe("files for other nodes", () => {
  test("are offered only as they were verified", async () => {
    using models = new ModelsFolder().write({ "m/model.gguf": "x", "m/else.gguf": "x" });
    const at = new Date(1_700_000_000_000);
    utimesSync(join(models.path, "m/model.gguf"), at, at);
    const file = { name: "model.gguf", size_bytes: 1, sha256: "ab", mtime_ms: at.getTime() };
    models.write({ "m/manifest.json": { id: "M", files: [{ ...file, placed_by: "user" }] } });
    const store = new Store(models.path);
    expect(await store.verified("M", "model.gguf")).toMatchObject({ sizeBytes: 1, sha256: "ab" });
    expect(await store.verified("M", "else.gguf")).toBeUndefined();
    expect(await store.verified("M", "../m/model.gguf")).toBeUndefined();
    writeFileSync(join(models.path, "m/model.gguf"), "y");
    expect(await store.verified("M", "model.gguf")).toBeUndefined();
  });
});
