import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Ollama } from "ollama";
import { VERSION } from "../../config/version.ts";
import { createApp } from "../../http/server/app.ts";
import { Drain } from "../../http/server/drain.ts";
import { type Listener, listen } from "../../http/server/listen.ts";
import { asAnybody } from "../../testkit/principal.ts";
import { failureOf, silent } from "../../testkit/state.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { viewOfModel } from "../admin/models/view.ts";
import { kindOf } from "../health/kinddetection.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { UpstreamPool } from "../upstream/pool.ts";
import { OLLAMA_VERSION, routeOllama } from "./routes.ts";

const CREATED_S = 1_700_000_000;

/** An endpoint that is online and lists models; `more` of each entry. */
function endpointOf(name: string, kind: EndpointKind, models: Record<string, object>): Endpoint {
  const endpoint = new Endpoint({ name, url: `http://${name}`, kind });
  endpoint.health = { ...endpoint.health, status: "online" };
  endpoint.models = new Map(
    Object.entries(models).map(([id, more]) => [id, { id, created: CREATED_S, ...more }]),
  );
  return endpoint;
}

const chat = { capabilities: ["chat"], max_tokens: 4096 };
const pool = new UpstreamPool();
const node = endpointOf("node", "llmlb", {
  "hf/org/Some-7B-Instruct-GGUF:Q4_K_M": { ...chat, size_bytes: 5000 },
  "llmlb-tiny": { ...chat, max_tokens: 512 },
});
const vllm = endpointOf("vllm", "vllm", {
  "see-0.5b": { capabilities: ["chat", "vision"] },
  "nomic-embed": { capabilities: ["embeddings"] },
  "llmlb-tiny": chat,
});
const gone = endpointOf("gone", "ollama", { "gone:latest": chat });
gone.health = { ...gone.health, status: "offline" };

let listener: Listener;
let client: Ollama;

beforeAll(() => {
  for (const endpoint of [node, vllm, gone]) pool.add(endpoint);
  const models = new Map([["hf/org/Some-7B-Instruct-GGUF:Q4_K_M", { state: "loaded" } as const]]);
  node.warmth.apply({ models }, { askedAtMs: 0, nowMs: 0 });
  const app = createApp({ log: silent, drain: new Drain(), authorise: asAnybody });
  routeOllama(app, {
    pool,
    refresh: async () => undefined,
    models: () => pool.models.map((id) => ({ id, view: () => viewOfModel(pool, id) })),
  });
  listener = listen(app, { host: "127.0.0.1", port: 0 });
  client = new Ollama({ host: listener.url });
});
afterAll(() => listener.stop(true));

test("the list has the models that are online, with their known details", async () => {
  const { models } = await client.list();
  expect(models.map(({ name }) => name)).toEqual([
    "hf/org/Some-7B-Instruct-GGUF:Q4_K_M",
    "llmlb-tiny",
    "nomic-embed",
    "see-0.5b",
  ]);
  const [some, tiny, , see] = models;
  expect(some as unknown).toEqual({
    name: "hf/org/Some-7B-Instruct-GGUF:Q4_K_M",
    model: "hf/org/Some-7B-Instruct-GGUF:Q4_K_M",
    modified_at: new Date(CREATED_S * 1000).toISOString(),
    size: 5000,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    details: {
      ...{ parent_model: "", format: "gguf", family: "", families: [] },
      ...{ parameter_size: "7B", quantization_level: "Q4_K_M" },
    },
  });
  expect(tiny).toMatchObject({ size: 0, details: { parameter_size: "", quantization_level: "" } });
  expect(see?.details).toMatchObject({ format: "", parameter_size: "0.5B" });
  expect(new Set(models.map(({ digest }) => digest)).size).toBe(models.length);
});

describe("the description of one model", () => {
  const shown = async (model: string) => {
    const { capabilities, model_info } = await client.show({ model });
    return [capabilities, model_info as unknown];
  };

  test("are its capabilities and its context where it is known", async () => {
    expect(await shown("llmlb-tiny")).toEqual([
      ["completion", "tools"],
      {
        "general.architecture": "llmlb",
        "general.name": "llmlb-tiny",
        "llmlb.context_length": 512,
      },
    ]);
    expect((await shown("see-0.5b"))[0]).toEqual(["completion", "tools", "vision"]);
    expect((await shown("nomic-embed"))[0]).toEqual(["embedding"]);
  });

  test("is found with `:latest` and without", async () => {
    expect((await shown("llmlb-tiny:latest"))[1]).toMatchObject({ "general.name": "llmlb-tiny" });
    expect((await shown("gone"))[1]).toMatchObject({ "general.name": "gone:latest" });
  });

  test("is an error in Ollama's words when there is no such model", async () => {
    expect(await failureOf(client.show({ model: "nope" }))).toContain("`nope` does not exist");
    const response = await fetch(`${listener.url}/api/show`, { method: "POST", body: "{}" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("`model`") });
  });
});

test("loaded models are those that an endpoint has loaded, as it says or by its kind", async () => {
  const { models } = await client.ps();
  expect(models.map(({ name }) => name)).toEqual([
    "hf/org/Some-7B-Instruct-GGUF:Q4_K_M",
    "llmlb-tiny",
    "nomic-embed",
    "see-0.5b",
  ]);
  expect(models[0]).toMatchObject({ size_vram: 0, context_length: 4096 });
  vllm.health = { ...vllm.health, status: "offline" };
  expect((await client.ps()).models.map(({ name }) => name)).toEqual([
    "hf/org/Some-7B-Instruct-GGUF:Q4_K_M",
  ]);
  vllm.health = { ...vllm.health, status: "online" };
});

test("probes find an Ollama, people and other balancers find llmlb", async () => {
  const root = await fetch(`${listener.url}/`);
  const text = await root.text();
  expect([root.status, text]).toEqual([200, "Ollama is running"]);
  expect((await fetch(`${listener.url}/`, { method: "HEAD" })).status).toBe(200);
  const page = await fetch(`${listener.url}/`, {
    ...{ headers: { accept: "text/html,*/*" }, redirect: "manual" },
  });
  expect([page.status, page.headers.get("location")]).toEqual([302, "/dashboard"]);
  expect(await client.version()).toMatchObject({ version: OLLAMA_VERSION });
  const version = (await (await fetch(`${listener.url}/api/version`)).json()) as object;
  expect(version).toEqual({ version: OLLAMA_VERSION, llmlb_version: VERSION });
  const nothing = { ok: false, failure: "status", reason: "404", latencyMs: 1 } as const;
  const answer = (json: unknown, text = "") =>
    ({ ok: true, json, text, server: "", latencyMs: 1 }) as const;
  const kind = kindOf({
    ...{ system: undefined, models: answer({ data: [] }), root: answer(undefined, text) },
    ...{ ollama: answer(version), lmStudio: nothing, vllm: nothing, props: nothing },
  });
  expect(kind).toBe("llmlb");
});

test("models are not managed this way, and it says how they are", async () => {
  for (const work of [
    () => client.pull({ model: "m" }),
    () => client.push({ model: "m" }),
    () => client.create({ model: "m", from: "n" }),
    () => client.copy({ source: "m", destination: "n" }),
    () => client.delete({ model: "m" }),
  ]) {
    expect(await failureOf(work())).toContain("llmlb model");
  }
  const blob = await fetch(`${listener.url}/api/blobs/sha256:0`, { method: "POST", body: "x" });
  expect(blob.status).toBe(501);
  expect(await blob.json()).toEqual({ error: expect.any(String) });
});

describe("a body whose content type is another one", () => {
  const body = new Blob(['{"model":"llmlb-tiny"}']);
  const show = (headers: Record<string, string>) =>
    fetch(`${listener.url}/api/show`, { method: "POST", body, headers });
  const form = "application/x-www-form-urlencoded";

  test("is read as JSON, as curl sends it in Ollama's own examples", async () => {
    for (const headers of [{ "content-type": form }, { "content-type": "text/plain" }, {}]) {
      expect((await show(headers)).status).toBe(200);
    }
  });

  test("is refused where a page of another site sends it", async () => {
    const origin = "https://elsewhere.example";
    for (const headers of [{ origin, "content-type": form }, { origin }]) {
      const response = await show(headers);
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({
        error: expect.stringContaining("--allowed-origins"),
      });
    }
  });
});
