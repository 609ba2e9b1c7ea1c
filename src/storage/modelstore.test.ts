import { describe, expect, test } from "bun:test";
import { readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { CONFIG, ggufBytes, ModelsFolder } from "../testkit/modelsfolder.ts";
import { ModelStore } from "./modelstore.ts";
import type { StoredModel } from "./storedmodel.ts";

/** The name of a model's first file, or why there is none. */
async function primaryOf(models: ModelsFolder, name: string, platform?: string): Promise<string> {
  try {
    const model = await new ModelStore(models.path, platform).find(name);
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
    using models = new ModelsFolder().write({ "m/a-Q8_0.gguf": "x", "m/b-Q8_0.gguf": "x" });
    expect(await primaryOf(models, "m")).toContain("a-Q8_0, b-Q8_0");
  });

  test("of several quantizations it is Q4_K_M, plain before marked, else the largest", async () => {
    using models = new ModelsFolder().write({ "m/a-Q4_0.gguf": "x", "m/a-Q8_0.gguf": "xx" });
    expect(await primaryOf(models, "m")).toBe("a-Q8_0.gguf");
    models.write({ "m/a-UD-Q4_K_M.gguf": "xxx" });
    expect(await primaryOf(models, "m")).toBe("a-UD-Q4_K_M.gguf");
    models.write({ "m/a-Q4_K_M.gguf": "xx" });
    expect(await primaryOf(models, "m")).toBe("a-Q4_K_M.gguf");
    expect(await primaryOf(models, "m:ud-q4_k_m")).toBe("a-UD-Q4_K_M.gguf");
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

  test("the quantization is named and recorded in any case", async () => {
    using models = new ModelsFolder().write({ "m/m-Q4_K_M.gguf": "x", "m/m-q8_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q8_0")).toBe("m-q8_0.gguf");
    models.write({ "m/manifest.json": { quantization: "Q8_0" } });
    expect(await primaryOf(models, "m")).toBe("m-q8_0.gguf");
    models.write({ "m/m-Q8_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q8_0")).toContain("no single file has Q8_0");
  });

  test("a quantization is told by other names and by the record in any case", async () => {
    using models = new ModelsFolder().write({ "m/a-q4_0.gguf": "x", "m/a-q8_0.gguf": "x" });
    expect(await primaryOf(models, "m:Q8_0")).toBe("a-q8_0.gguf");
    models.write({ "n/model.gguf": "x", "n/manifest.json": { quantization: "q5_k_m" } });
    expect(await primaryOf(models, "n:Q5_K_M")).toBe("model.gguf");
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
    const model = await new ModelStore(models.path).find("m:Q4_0");
    expect(model?.weights.map(({ name }) => name)).toEqual([
      "big-Q4_0-00001-of-00002.gguf",
      "big-Q4_0-00002-of-00002.gguf",
    ]);
  });

  test("projectors and adapters lie beside, also if only metadata tells them", async () => {
    using models = new ModelsFolder().write({ "m/w-Q4_0.gguf": "x", "m/mmproj-BF16.gguf": "x" });
    models.write({ "m/mmproj-F16.gguf": "x" });
    writeFileSync(join(models.path, "m/style.gguf"), ggufBytes({ "general.type": "adapter" }));
    const model = await new ModelStore(models.path).find("m");
    expect(model?.projector?.name).toBe("mmproj-F16.gguf");
    expect(model?.adapters.map(({ name }) => name)).toEqual(["style.gguf"]);
    expect(model?.quantization).toBe("Q4_0");
  });

  test("companions are passed over, by name and by header", async () => {
    using models = new ModelsFolder().write({
      ...{ "m/T-Q4_K_M.gguf": "x", "m/T-imatrix.gguf": "x", "m/ggml-vocab-t.gguf": "x" },
      ...{ "m/mtp-T-Q8_0.gguf": "x" },
    });
    const write = (name: string, type: string) => {
      writeFileSync(join(models.path, name), ggufBytes({ "general.type": type }));
    };
    write("m/T-f16.gguf", "imatrix");
    write("m/T-eyes-f16.gguf", "mmproj");
    const model = await new ModelStore(models.path).find("m");
    expect([model?.primary.name, model?.projector?.name]).toEqual([
      ...["T-Q4_K_M.gguf", "T-eyes-f16.gguf"],
    ]);
    models.write({ "n/x": "x" });
    write("n/T-lora-merged-Q4_K_M.gguf", "model");
    expect(await primaryOf(models, "n")).toBe("T-lora-merged-Q4_K_M.gguf");
    models.write({ "o/T-imatrix.gguf": "x" });
    expect(await primaryOf(models, "o")).toContain("T-imatrix.gguf is an importance matrix");
    models.write({ "p/mtp-T-Q8_0.gguf": "x" });
    expect(await primaryOf(models, "p")).toBe("mtp-T-Q8_0.gguf");
  });

  test("tags are found as the hub prints them, behind underscores, and in headers", async () => {
    using models = new ModelsFolder().write({ "m/A-UD-Q4_K_XL.gguf": "x", "m/a_q8_0.gguf": "x" });
    for (const tag of ["UD-Q4_K_XL", "Q4_K_XL"]) {
      expect(await primaryOf(models, `m:${tag}`)).toBe("A-UD-Q4_K_XL.gguf");
    }
    expect(await primaryOf(models, "m:Q8_0")).toBe("a_q8_0.gguf");
    models.write({ "n/x": "x" });
    writeFileSync(join(models.path, "n/mine.gguf"), ggufBytes({ "general.file_type": 7 }));
    expect(await primaryOf(models, "n:Q8_0")).toBe("mine.gguf");
    models.write({ "o/manifest.json": { quantization: "Q4_K_XL" }, "o/A-UD-Q4_K_XL.gguf": "x" });
    models.write({ "o/A-Q8_0.gguf": "xxx" });
    expect(await primaryOf(models, "o")).toBe("A-UD-Q4_K_XL.gguf");
  });

  test("the architecture comes from the file itself", async () => {
    using models = new ModelsFolder().write({ "m/x": "" });
    const bytes = ggufBytes({ "general.architecture": "qwen3moe" });
    writeFileSync(join(models.path, "m/model.gguf"), bytes);
    const model = await new ModelStore(models.path).find("m");
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
    const model = await new ModelStore(models.path).find("m");
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
    const { models: found, unusable } = await new ModelStore(models.path).list();
    expect(found.map(({ id }) => id)).toEqual([
      ...["org/one", "org/one/nested", "org/with space", "model"],
    ]);
    expect(unusable.map(({ id }) => id)).toEqual(["org/two"]);
  });

  test("files directly in the models folder are models by their names", async () => {
    using models = new ModelsFolder().write({
      ...{ "T-Q8_0.gguf": "x", "U-00001-of-00002.gguf": "x", "U-00002-of-00002.gguf": "x" },
      ...{ "mmproj-F16.gguf": "x", "mtp-T-Q8_0.gguf": "x", "V-Q4_0/V-Q4_0.gguf": "xx" },
      "V-Q4_0.gguf": "x",
    });
    const store = new ModelStore(models.path);
    const { models: found, unusable } = await store.list();
    const sizes = found.map(({ id, weights }) => `${id} ${weights.length}`);
    expect(sizes).toEqual(["V-Q4_0 1", "T-Q8_0 1", "U 2"]);
    expect(unusable).toEqual([]);
    expect((await store.find("t-q8_0:Q8_0"))?.primary.name).toBe("T-Q8_0.gguf");
    expect((await store.find("V-Q4_0"))?.primary.sizeBytes).toBe(2);
    expect(await store.otherQuantizations(found[1] as StoredModel)).toEqual([]);
    expect(await store.removeSynced("U")).toEqual([]);
    expect(await store.remove("U")).toBe(true);
    expect(await store.removeQuantization("T-Q8_0", "Q8_0", new AbortController().signal)).toBe(
      true,
    );
    expect(readdirSync(models.path).sort()).toEqual([
      ...["V-Q4_0", "V-Q4_0.gguf", "mmproj-F16.gguf", "mtp-T-Q8_0.gguf"],
    ]);
  });

  test("ids keep their case where the record says them", async () => {
    using models = new ModelsFolder().write({
      "hf/org/name/x.gguf": "x",
      "hf/org/name/manifest.json": { id: "hf/Org/Name" },
      "hf/org/lie/x.gguf": "x",
      "hf/org/lie/manifest.json": { id: "hf/Org/Other" },
      "Hand/Made/x.gguf": "x",
    });
    const store = new ModelStore(models.path);
    const { models: found } = await store.list();
    expect(found.map(({ id }) => id)).toEqual(["Hand/Made", "hf/org/lie", "hf/Org/Name"]);
    expect((await store.find("hf/Org/Name"))?.id).toBe("hf/Org/Name");
    expect((await store.find("Org/Name"))?.id).toBe("hf/Org/Name");
    expect((await store.find("hf/org/name"))?.id).toBe("hf/Org/Name");
    expect((await store.find("hand/made"))?.id).toBe("Hand/Made");
  });

  test("links are followed, also in circles", async () => {
    using elsewhere = new ModelsFolder().write({ "w.gguf": "x", "m/model.gguf": "y" });
    using models = new ModelsFolder().write({ "a/b/c": "" });
    symlinkSync(join(elsewhere.path, "w.gguf"), join(models.path, "a/b/linked.gguf"));
    symlinkSync(join(models.path, "gone"), join(models.path, "a/b/gone.gguf"));
    symlinkSync(join(elsewhere.path, "m"), join(models.path, "a/m"));
    symlinkSync(models.path, join(models.path, "a/circle"));
    const { models: found } = await new ModelStore(models.path).list();
    expect(found.map(({ id }) => id)).toEqual(["a/b", "a/m"]);
  });

  test("files for another platform do not count", async () => {
    using models = new ModelsFolder().write({ "m/model.metal.bin": "x", "m/model.gguf": "x" });
    expect(await primaryOf(models, "m", "linux")).toBe("model.gguf");
  });

  test("a models folder that does not exist is empty", async () => {
    const store = new ModelStore("/nonexistent/models");
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
        const store = new ModelStore(models.path);
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

describe("files for other nodes", () => {
  test("are offered only as they were verified", async () => {
    using models = new ModelsFolder().write({ "m/model.gguf": "x", "m/else.gguf": "x" });
    const at = new Date(1_700_000_000_000);
    utimesSync(join(models.path, "m/model.gguf"), at, at);
    const file = { name: "model.gguf", size_bytes: 1, sha256: "ab", mtime_ms: at.getTime() };
    models.write({ "m/manifest.json": { id: "M", files: [{ ...file, placed_by: "user" }] } });
    const store = new ModelStore(models.path);
    expect(await store.verifiedFile("M", "model.gguf")).toMatchObject({
      sizeBytes: 1,
      sha256: "ab",
    });
    expect(await store.verifiedFile("M", "else.gguf")).toBeUndefined();
    expect(await store.verifiedFile("M", "../m/model.gguf")).toBeUndefined();
    writeFileSync(join(models.path, "m/model.gguf"), "y");
    expect(await store.verifiedFile("M", "model.gguf")).toBeUndefined();
  });
});
