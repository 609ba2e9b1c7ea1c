import { expect, test } from "bun:test";
import { errorAnswer, register, type TestRegistry, testRegistry } from "../testkit/registry.ts";
import { safetensorsRepo, tinyRepo, variantsRepo } from "../testkit/servers/hub/samples.ts";
import { ModelPreview } from "../wire/preview.ts";

const LLAMA = "acme/Llama-3-8B-GGUF";
const Q8 = "Llama-3-8B-Q8_0.gguf";

function preview(at: TestRegistry, repo: string, more: object = {}) {
  return at.call("POST", "/api/models/preview", { repo, ...more });
}

async function choices(at: TestRegistry, repo: string) {
  const { body } = await preview(at, repo);
  return ModelPreview.parse(body).choices;
}

test("a repository offers itself and its weights, and says what fits which node", async () => {
  await using at = await testRegistry();
  await at.hub.add(variantsRepo());
  at.nodes.push(
    { name: "small", device: 0, all: 6000, free: 1000 },
    { name: "silent", device: 0, all: undefined, free: undefined },
  );
  const { status, body } = await preview(at, LLAMA);
  expect(status).toBe(200);
  expect(ModelPreview.parse(body)).toMatchObject({
    ...{ repo: LLAMA, kind: "gguf", selected: null, gated: false, context_length: 8192 },
    nodes: [
      { name: "small", memory_bytes: 6000, free_bytes: 1000 },
      { name: "silent", memory_bytes: null, free_bytes: null },
    ],
    warnings: [],
  });
  expect(body.choices).toMatchObject([
    { filename: null, id: `hf/${LLAMA}`, size_bytes: 4000, fits: ["host", "unknown"] },
    { quantization: "BF16", size_bytes: 15_000, fits: ["too_large", "unknown"] },
    { quantization: "Q4_K_M", required_memory_bytes: 6000, fits: ["host", "unknown"] },
    { filename: Q8, size_bytes: 8000, registered: false, fits: ["too_large", "unknown"] },
  ]);
  expect(body.files).toContainEqual({ filename: "mmproj-F16.gguf", size_bytes: 500 });
  expect(at.hub.served(LLAMA)).toBe(0);
});

test("what an address names is selected, and what is registered says so", async () => {
  await using at = await testRegistry();
  await at.hub.add(variantsRepo());
  const { body } = await preview(at, `${at.hub.url}/${LLAMA}/blob/main/${Q8}`);
  expect(body.selected).toBe(Q8);
  const q8 = body.choices.find((one: { filename: string }) => one.filename === Q8);
  expect((await register(at, q8.register)).body.id).toBe(q8.id);
  const again = await choices(at, LLAMA);
  expect(again.filter(({ registered }) => registered).map(({ id }) => id)).toEqual([q8.id]);
  expect((await preview(at, LLAMA, { filename: Q8 })).body.selected).toBe(Q8);
});

test("each choice can be registered as it says, at the revision that was named", async () => {
  await using at = await testRegistry();
  await at.hub.add(variantsRepo());
  const folder = await choices(at, `${at.hub.url}/${LLAMA}/tree/main/BF16`);
  const [whole] = folder;
  expect(whole?.register).toEqual({ repo: LLAMA, filename: null });
  const commit = (await preview(at, LLAMA)).body.revision;
  for (const { register: body, id } of await choices(at, `${LLAMA}/tree/${commit}`)) {
    expect(body.repo).toBe(`${LLAMA}/tree/${commit}`);
    expect((await register(at, body)).body).toMatchObject({ id, revision: commit });
  }
});

test("a single file is not told twice, and safetensors are one choice", async () => {
  await using at = await testRegistry();
  await at.hub.add(tinyRepo());
  await at.hub.add(safetensorsRepo());
  expect(await choices(at, "llmlb/tiny-GGUF")).toMatchObject([{ filename: null }]);
  expect(await choices(at, "llmlb/tiny-GGUF/llmlb-tiny-Q8_0.gguf")).toMatchObject([
    ...[{ filename: null }, { filename: "llmlb-tiny-Q8_0.gguf" }],
  ]);
  expect(await choices(at, "acme/Qwen3-0.6B")).toMatchObject([{ filename: null }]);
});

test("what cannot be registered is refused in the same words", async () => {
  await using at = await testRegistry();
  await at.hub.add(variantsRepo());
  expect(await preview(at, "acme/none")).toMatchObject(errorAnswer("hub_repo_not_found", 404));
  expect(await preview(at, "nonsense")).toMatchObject(errorAnswer("invalid_repo", 400));
  expect(await preview(at, `${LLAMA}:Q3_K`)).toMatchObject(errorAnswer("hub_file_not_found", 404));
  expect((await at.call("POST", "/api/models/preview", {})).status).toBe(400);
});
