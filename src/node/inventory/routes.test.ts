import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../config/settings.ts";
import { listen } from "../../http/server/listen.ts";
import { eventually } from "../../testkit/eventually.ts";
import { refusalOf, TestNode } from "../../testkit/node.ts";
import { type Hub, startHub } from "../../testkit/servers/hub/hub.ts";
import {
  adapterRepo,
  lowercaseRepo,
  safetensorsRepo,
  someBytes,
  variantsRepo,
} from "../../testkit/servers/hub/samples.ts";
import { NodeModelList, PullAnswer, PullView } from "../../wire/sync.ts";

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await hub.add(variantsRepo());
  await hub.add(lowercaseRepo());
  await hub.add(adapterRepo());
  await hub.add(safetensorsRepo());
});
afterAll(() => hub[Symbol.asyncDispose]());

/** A node whose models folder has one model in these quantizations. */
async function holding(quantizations: string[], more: Partial<Settings> = {}) {
  const host = new TestNode(["fixed"], more);
  const folder = join(host.engines.folder, "models/org/m");
  mkdirSync(folder, { recursive: true });
  for (const one of quantizations) writeFileSync(join(folder, `m-${one}.gguf`), "GGUF");
  writeFileSync(join(folder, "mmproj-F16.gguf"), "GGUF");
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ quantization: "Q8_0" }));
  await host.node.open();
  const remove = (name: string) => {
    return fetch(`${host.url}/api/models/${name}`, { method: "DELETE" });
  };
  const names = async () => {
    const { data } = (await (await host.get("/v1/models")).json()) as { data: { id: string }[] };
    return data.map(({ id }) => id).sort();
  };
  return { host, folder, remove, names };
}

/** Waits until a model is pulled; its id. */
async function pulled(host: TestNode, model: string): Promise<string | null> {
  const answer = await host.post("/api/models/pull", { model });
  expect(answer.status).toBe(202);
  const { progress_url: url, model: id } = PullAnswer.parse(await answer.json());
  await eventually(async () => {
    const { progress } = PullView.parse(await (await host.get(url)).json());
    return progress.state === "done" ? progress : undefined;
  });
  return id;
}

test("a quantization is removed for itself; the engines of the others go on", async () => {
  const { host, folder, remove, names } = await holding(["Q8_0", "Q4_0", "Q5_0"]);
  await using _ = host;
  for (const model of ["org/m", "org/m:Q5_0"])
    expect((await host.chat({ model })).status).toBe(200);
  expect(host.engines.launches).toHaveLength(2);
  expect((await remove("org/m:Q4_0")).status).toBe(204);
  expect(readdirSync(folder)).not.toContain("m-Q4_0.gguf");
  expect(await names()).toEqual(["fixed", "org/m", "org/m:Q5_0"]);
  for (const model of ["org/m", "org/m:Q5_0"])
    expect((await host.chat({ model })).status).toBe(200);
  expect(host.engines.launches).toHaveLength(2);
});

test("who removes a model waits as long as its requests run", async () => {
  const { host } = await holding(["Q8_0"], { drainTimeoutMs: 6000 });
  await using _ = host;
  await host.chat({ model: "org/m", stream: true });
  // Bun looks at its limit every four seconds.
  const listener = listen(host.node.app, { host: "127.0.0.1", port: 0, idleTimeoutS: 1 });
  const answer = await fetch(`${listener.url}/api/models/org/m`, { method: "DELETE" });
  expect(answer.status).toBe(204);
  await listener.stop(true);
}, 10_000);

test("the quantization that is meant goes, and the last one takes the model along", async () => {
  const { host, folder, remove, names } = await holding(["Q8_0", "Q4_0"]);
  await using _ = host;
  expect((await remove("org%2Fm:Q8_0")).status).toBe(204);
  expect(readdirSync(folder).sort()).toEqual(["m-Q4_0.gguf", "manifest.json", "mmproj-F16.gguf"]);
  expect(await names()).toEqual(["fixed", "org/m"]);
  expect((await host.chat({ model: "org/m:Q4_0" })).status).toBe(200);
  expect((await remove("org/m:Q4_0")).status).toBe(204);
  expect(existsSync(folder)).toBe(false);
  expect(await names()).toEqual(["fixed"]);
});

test("what there is not cannot be removed, nor what the settings name", async () => {
  const { host, folder, remove } = await holding(["Q8_0"]);
  await using _ = host;
  for (const name of ["org/m:Q4_0", "org/other", "org/other:Q8_0"]) {
    const error = await refusalOf(await remove(name));
    expect(error).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    expect(error).toMatchObject({ message: expect.stringContaining(name) });
  }
  expect(await refusalOf(await remove("fixed"))).toMatchObject({ status: 409 });
  expect(await refusalOf(await remove("org/m:"))).toMatchObject({ code: "invalid_model_id" });
  expect(readdirSync(folder)).toContain("m-Q8_0.gguf");
  const list = NodeModelList.parse(await (await host.get("/api/models")).json());
  expect(list.data.map(({ id }) => id)).toEqual(["fixed", "org/m"]);
});

test("a quantization that is pulled lies with the others of its repository", async () => {
  await using host = new TestNode(["fixed"], { hubUrl: hub.url });
  const model = "acme/Llama-3-8B-GGUF";
  for (const quantization of ["q8_0", "Q4_K_M"]) {
    expect(await pulled(host, `${model}:${quantization}`)).toBe(`hf/${model}`);
  }
  const folder = join(host.engines.folder, "models/hf/acme/llama-3-8b-gguf");
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith("gguf"))
      .sort(),
  ).toEqual([...["Llama-3-8B-Q4_K_M.gguf", "Llama-3-8B-Q8_0.gguf", "mmproj-F16.gguf"]]);
  for (const name of [model, `${model}:Q8_0`, `hf/${model}:Q4_K_M`]) {
    expect((await host.chat({ model: name })).status).toBe(200);
  }
});

test("of a repository in lower case, Q4_K_M is pulled, and found in any case", async () => {
  await using host = new TestNode(["fixed"], { hubUrl: hub.url });
  const model = "acme/qwen3-8b-gguf";
  await pulled(host, model);
  const folder = join(host.engines.folder, "models/hf/acme/qwen3-8b-gguf");
  expect(readdirSync(folder).sort()).toEqual(["manifest.json", "qwen3-8b-q4_k_m.gguf"]);
  for (const name of [model, `${model}:Q4_K_M`, `hf/${model}:q4_k_m`]) {
    expect((await host.chat({ model: name })).status).toBe(200);
  }
  expect(host.engines.launches).toHaveLength(1);
  expect((await host.chat({ model: `${model}:Q4_K_S` })).status).toBe(404);
  const gone = await fetch(`${host.url}/api/models/${model}:Q4_K_M`, { method: "DELETE" });
  expect(gone.status).toBe(204);
  expect(existsSync(folder)).toBe(false);
});

test("files that tell one quantization in two spellings are listed once", async () => {
  const { host, names } = await holding(["Q8_0", "q4_0"]);
  await using _ = host;
  writeFileSync(join(host.engines.folder, "models/org/m/mmproj-q8_0.gguf"), "GGUF");
  await host.get("/api/models");
  expect(await names()).toEqual(["fixed", "org/m", "org/m:q4_0"]);
  for (const model of ["org/m:q8_0", "org/m:Q4_0"]) {
    expect((await host.chat({ model })).status).toBe(200);
  }
});

test.each([
  ["an adapter", "acme/Qwen3-lora", { status: 400, code: "pull_no_artifact" }, "adapter (LoRA)"],
  ["no GGUF", "acme/Qwen3-0.6B", { status: 400, code: "pull_no_artifact" }, "no GGUF files"],
  ["no such repository", "acme/x", { status: 404, code: "hub_repo_not_found" }, "for this node"],
  ["no reference", "llama", { status: 400, code: "invalid_repo" }, "`model`"],
  ["no such quantization", "acme/Llama-3-8B-GGUF:Q2_K", { status: 400 }, "There are: Q4_K_M"],
])("what cannot be pulled is told in the request's words: %s", async (_, model, error, text) => {
  await using host = new TestNode(["fixed"], { hubUrl: hub.url });
  const told = await refusalOf(await host.post("/api/models/pull", { model }));
  expect(told).toMatchObject({ ...error, param: "model" });
  expect(told).toMatchObject({ message: expect.stringContaining(text) });
  expect(told).toMatchObject({ message: expect.not.stringContaining("Registering") });
});

test("fields that a pull does not have are refused", async () => {
  await using host = new TestNode(["fixed"], { hubUrl: hub.url });
  const answer = await host.post("/api/models/pull", { model: "acme/x", nonsense: 1 });
  expect(await refusalOf(answer)).toMatchObject({ status: 400, param: "nonsense" });
});

test("a pull that turns out to be of what another fetches waits for that", async () => {
  const [repo, size] = ["acme/Twin-GGUF", 3_000_000];
  await hub.add({ name: repo, files: { "T-Q8_0.gguf": someBytes(size) } });
  await using host = new TestNode(["fixed"], { hubUrl: hub.url });
  await Promise.all([pulled(host, repo), pulled(host, `${repo}:Q8_0`)]);
  const headers = 2 * 512 * 1024;
  expect(hub.served(repo, "T-Q8_0.gguf")).toBeLessThan(size + 2 * headers);
});

test("a model is pulled once, however it is spelled, and its removal ends all pulls", async () => {
  await using slow = await startHub();
  const repo = "acme/T-GGUF";
  const sizes = { "T-Q8_0.gguf": someBytes(9_000_000), "T-Q4_0.gguf": someBytes(8_000_000, 2) };
  await slow.add({ name: repo, files: sizes });
  slow.bytesPerSecond = 800_000;
  await using host = new TestNode(["fixed"], { hubUrl: slow.url });
  const start = async (model: string) => {
    return PullAnswer.parse(await (await host.post("/api/models/pull", { model })).json()).id;
  };
  const first = await start(`hf/${repo}`);
  const files = await eventually(async () => {
    const url = `/api/models/pulls/${first}`;
    const { progress } = PullView.parse(await (await host.get(url)).json());
    return progress.files.length > 0 ? progress.files : undefined;
  });
  expect(files.map(({ name }) => name)).toEqual(["T-Q8_0.gguf"]);
  for (const same of [repo, repo.toLowerCase(), `${slow.url}/${repo}`, `${repo}:q8_0`]) {
    expect([same, await start(same)]).toEqual([same, first]);
  }
  expect(await start(`${repo}:Q4_0`)).not.toBe(first);
  const gone = await fetch(`${host.url}/api/models/hf/acme/t-gguf`, { method: "DELETE" });
  expect(gone.status).toBe(204);
  const { data } = (await (await host.get("/api/models/pulls")).json()) as { data: PullView[] };
  expect(data.map(({ error }) => error?.code)).toEqual(["pull_cancelled", "pull_cancelled"]);
  const folder = join(host.engines.folder, "models");
  expect(existsSync(folder) ? readdirSync(folder, { recursive: true }) : []).toEqual([]);
  const again = await start(repo);
  expect(again).not.toBe(first);
}, 30_000);
