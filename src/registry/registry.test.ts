import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { errorAnswer, register, testRegistry } from "../testkit/registry.ts";
import {
  adapterRepo,
  safetensorsRepo,
  someBytes,
  tinyRepo,
  variantsRepo,
} from "../testkit/servers/hub/samples.ts";
import { Manifest } from "../wire/manifest.ts";
import { Registration } from "../wire/registry.ts";

const LLAMA = "acme/Llama-3-8B-GGUF";
const QWEN = "acme/Qwen3-0.6B";

describe("registering", () => {
  test("a repository keeps all variants, their sizes and hashes, downloads none", async () => {
    await using at = await testRegistry();
    const sha = await at.hub.add(variantsRepo());
    const answer = await register(at, { repo: LLAMA, display_name: "Llama", aliases: ["llama"] });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        ...{ id: `hf/${LLAMA}`, name: `hf/${LLAMA}`, status: "registered", stale: false },
        ...{ filename: "Llama-3-8B-Q4_K_M.gguf", size_bytes: 4000, required_memory_bytes: 6000 },
        ...{ revision: sha, description: "Llama", chat_template: "{{ gguf }}", ready: false },
      },
    });
    expect(Registration.safeParse(answer.body).success).toBe(true);
    expect(answer.body.variants).toEqual([
      {
        quantization: "BF16",
        filename: "BF16/Llama-3-8B-BF16-00001-of-00003.gguf",
        size_bytes: 15_000,
      },
      { quantization: "Q4_K_M", filename: "Llama-3-8B-Q4_K_M.gguf", size_bytes: 4000 },
      { quantization: "Q8_0", filename: "Llama-3-8B-Q8_0.gguf", size_bytes: 8000 },
    ]);
    expect(at.hub.served(LLAMA)).toBe(0);

    const { body } = await at.call("GET", `/api/models/registry/hf/${LLAMA}/manifest.json`);
    const manifest = Manifest.parse(body);
    expect(manifest).toMatchObject({
      ...{ model: `hf/${LLAMA}`, repo: LLAMA, revision: sha, format: "gguf", quantization: null },
      ...{ peers: [], created_at: answer.body.registered_at },
    });
    expect(manifest.origin_allowlist).toContain("huggingface.co/*");
    expect(manifest.origin_allowlist).toContain("*://127.0.0.1:*");
    expect(manifest.artifacts.map(({ filename }) => filename)).toHaveLength(6);
    const q4 = manifest.artifacts.find(({ filename }) => filename === "Llama-3-8B-Q4_K_M.gguf");
    expect(q4).toEqual({
      ...{ filename: "Llama-3-8B-Q4_K_M.gguf", format: "gguf", quantization: "Q4_K_M" },
      ...{ size_bytes: 4000, git_oid: null, priority: 0, runtimes: ["llama_cpp"], optional: false },
      sha256: createHash("sha256").update(someBytes(4000, 4)).digest("hex"),
      url: `${at.hub.url}/${LLAMA}/resolve/${sha}/Llama-3-8B-Q4_K_M.gguf`,
    });
    const fetched = await (await fetch(q4?.url ?? "")).bytes();
    expect(fetched).toEqual(someBytes(4000, 4));
    const projector = manifest.artifacts.find(({ filename }) => filename === "mmproj-F16.gguf");
    expect(projector).toMatchObject({ optional: true, size_bytes: 500 });
  });

  test("files of one repository stand side by side", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    const q8 = `${LLAMA}/Llama-3-8B-Q8_0.gguf`;
    const byUrl = { repo: `${at.hub.url}/${LLAMA}/blob/main/Llama-3-8B-Q8_0.gguf?x=1` };
    expect((await register(at, byUrl)).body).toMatchObject({
      ...{ id: `hf/${q8}`, quantization: "Q8_0", size_bytes: 8000 },
    });
    // The second part of a split file stands for all of it.
    const part = "BF16/Llama-3-8B-BF16-00002-of-00003.gguf";
    expect((await register(at, { repo: LLAMA, filename: part })).body).toMatchObject({
      ...{ id: `hf/${LLAMA}/BF16/Llama-3-8B-BF16-00001-of-00003.gguf`, size_bytes: 15_000 },
    });
    expect((await register(at, { repo: `${LLAMA}:q4_k_m` })).body).toMatchObject({
      id: `hf/${LLAMA}/Llama-3-8B-Q4_K_M.gguf`,
    });
    expect((await register(at, { repo: LLAMA })).status).toBe(201);
    const encoded = encodeURIComponent(`hf/${q8}`);
    const { body } = await at.call("GET", `/v0/models/registry/${encoded}/manifest.json`);
    expect(body.artifacts.map(({ filename }: { filename: string }) => filename)).toEqual([
      ...["Llama-3-8B-Q8_0.gguf", "mmproj-F16.gguf"],
    ]);
    const split = await at.call("GET", `/api/models/registry/${LLAMA}:BF16/manifest.json`);
    expect(split.body.artifacts).toHaveLength(4);
  });

  test("safetensors come with their index, shards and configuration", async () => {
    await using at = await testRegistry();
    await at.hub.add(safetensorsRepo());
    const { body } = await register(at, { repo: QWEN, filename: "" });
    expect(body.error.param).toBe("filename");
    expect((await register(at, { repo: QWEN })).body).toMatchObject({
      ...{ kind: "safetensors", size_bytes: 4000, chat_template: "{{ tokenizer }}" },
      ...{ filename: "model.safetensors.index.json", architectures: ["Qwen3ForCausalLM"] },
    });
    const manifest = (await at.call("GET", `/api/models/registry/${QWEN}/manifest.json`)).body;
    expect(
      manifest.artifacts.map(({ filename, priority }: Record<string, unknown>) => [
        ...[filename, priority],
      ]),
    ).toEqual([
      ...["config.json", "tokenizer.json", "tokenizer_config.json"].map((name) => [name, 10]),
      ["model.safetensors.index.json", 5],
      ...[1, 2].map((n) => [`model-0000${n}-of-00002.safetensors`, 0]),
    ]);
    expect(manifest.artifacts[0]).toMatchObject({ sha256: null, git_oid: expect.any(String) });
    expect(manifest.artifacts[5].runtimes).toEqual(["safetensors_cpp"]);
  });

  test("what is no model says why", async () => {
    await using at = await testRegistry();
    const { config, tokenizer } = { config: "{}", tokenizer: "{}" };
    const around = { "config.json": config, "tokenizer.json": tokenizer };
    const cases: [Record<string, string>, string][] = [
      [{ "a.onnx": "x" }, "No supported model artifacts found (safetensors/gguf)"],
      [{ "a.safetensors": "x" }, "config.json and tokenizer.json are required for safetensors"],
      [
        { ...around, "a.safetensors": "x", "b.safetensors": "y" },
        "Multiple safetensors files found; specify filename",
      ],
      [
        { ...around, "a.safetensors.index.json": "{}", "b.safetensors.index.json": "{}" },
        "Multiple safetensors index files found; specify filename",
      ],
      [{ ...around, "a.safetensors.index.json": "{}" }, "Invalid safetensors index format"],
      [
        { ...around, "a.safetensors.index.json": '{"weight_map":{"a":"gone.safetensors"}}' },
        "names files that are not there: gone.safetensors",
      ],
      [{ ...around, "a-00001-of-00002.safetensors": "x" }, "need an index file"],
      [{ "a-00001-of-00002.gguf": "x" }, "Parts of a split GGUF file are missing"],
      [{ "a.gguf": "" }, "No supported model artifacts found"],
    ];
    for (const [i, [files, message]] of cases.entries()) {
      await at.hub.add({ name: `acme/bad-${i}`, files });
      const answer = await register(at, { repo: `acme/bad-${i}` });
      expect(answer).toMatchObject(errorAnswer("unsuitable_repo", 400));
      expect(answer.body.error.message).toContain(message);
    }
    await at.hub.add({ name: "acme/both", files: { "a.gguf": "x", "b.safetensors": "y" } });
    const both = await register(at, { repo: "acme/both" });
    expect(both.body).toMatchObject({ kind: "gguf" });
    expect(both.body.warnings.join()).toContain("config.json and tokenizer.json are required");
    const named = { repo: "acme/both", filename: "README.md" };
    expect((await register(at, named)).body.error.message).toContain(
      "filename must be a .gguf or .safetensors file",
    );
  });

  test("adapters are known as such", async () => {
    await using at = await testRegistry();
    await at.hub.add(adapterRepo());
    const { body } = await register(at, { repo: "acme/Qwen3-lora" });
    expect(body).toMatchObject({ kind: "lora", size_bytes: expect.any(Number) });
    expect(body.tags).toContain("lora");
    expect(body.warnings[0]).toContain("base model");
  });

  test("what is registered stays as it is", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    await at.hub.add(safetensorsRepo());
    await register(at, { repo: LLAMA, aliases: ["llama"] });
    const { length } = at.hub.requests;
    const again = await register(at, { repo: LLAMA.toLowerCase() });
    expect(again).toMatchObject(errorAnswer("model_already_registered", 409));
    expect(at.hub.requests).toHaveLength(length);
    for (const alias of ["LLAMA", "Llama-3-8B-GGUF"]) {
      const taken = await register(at, { repo: QWEN, aliases: [alias] });
      expect(taken).toMatchObject(errorAnswer("alias_taken", 409));
    }
    for (const alias of ["a/b", "", "-x", "x".repeat(129)]) {
      expect(await register(at, { repo: QWEN, aliases: [alias] })).toMatchObject({
        status: 400,
        body: { error: { param: "aliases.0" } },
      });
    }
    const all = await Promise.all([1, 2, 3].map(() => register(at, { repo: QWEN })));
    expect(all.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  test("memory is compared with what the endpoints have", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    await at.hub.add(safetensorsRepo());
    expect((await register(at, { repo: QWEN })).body.warnings).toEqual([
      "No GPU memory info available from registered endpoints",
    ]);
    const gpu = { name: "g", total_memory_bytes: 4500, used_memory_bytes: 0 };
    at.devices.push({ device_type: "gpu", gpu_devices: [gpu] });
    const { body } = await register(at, { repo: LLAMA });
    expect(body.warnings).toEqual(["Model requires 0.0GB but max endpoint GPU memory is 0.0GB"]);
  });

  test("a revision that the address names is the one that is kept", async () => {
    await using at = await testRegistry();
    const first = await at.hub.add(variantsRepo());
    await at.hub.commit(LLAMA, { "Llama-3-8B-Q4_K_M.gguf": someBytes(5000, 44) });
    const repo = `https://huggingface.co/${LLAMA}/tree/${first}`;
    expect((await register(at, { repo })).body).toMatchObject({ revision: first });
    const gone = { repo: `${LLAMA}2`, filename: "x.gguf" };
    await at.hub.add(variantsRepo(`${LLAMA}2`));
    expect(await register(at, gone)).toMatchObject(errorAnswer("hub_file_not_found", 404));
    const none = { repo: `https://hf.co/${LLAMA}2/tree/v9` };
    expect(await register(at, none)).toMatchObject(errorAnswer("hub_revision_not_found", 404));
  });

  test("the hub's spelling and its new names count", async () => {
    await using at = await testRegistry();
    await at.hub.add(tinyRepo("old/tiny"));
    at.hub.rename("old/tiny", "new/Tiny");
    const { body } = await register(at, { repo: "old/tiny" });
    expect(body).toMatchObject({ id: "hf/new/Tiny" });
    expect(body.warnings).toContain("old/tiny is called new/Tiny on the hub");
  });
});
