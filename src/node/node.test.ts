import { afterEach, beforeEach, expect, test } from "bun:test";
import OpenAI from "openai";
import { eventually } from "../testkit/eventually.ts";
import { refusalOf, TestNode } from "../testkit/node.ts";
import type { Echo } from "../testkit/servers/engine.ts";

let host: TestNode;

beforeEach(() => {
  host = new TestNode(["chat", "org/other"]);
});

afterEach(() => host[Symbol.asyncDispose]());

test.each([
  "/v1/chat/completions",
  "/v1/completions",
  "/chat/completions",
  "/completion",
  "/completions",
  "/infill",
  "/tokenize",
  "/detokenize",
  "/apply-template",
])("POST %s reaches the model's engine with its bytes unchanged", async (path) => {
  const response = await host.post(path, { model: "chat", odd: "ü", n: 1.0 });
  const echo = (await response.json()) as Echo;
  expect(response.status).toBe(200);
  expect(echo).toMatchObject({ engine: "chat", method: "POST" });
  expect(echo.path).toBe(path === "/chat/completions" ? `/v1${path}` : path);
  expect(echo.body).toBe('{"model":"chat","odd":"ü","n":1}');
});

test("embeddings run on an engine of their own beside the chat engine", async () => {
  await host.chat();
  const client = new OpenAI({ baseURL: `${host.url}/v1`, apiKey: "x", maxRetries: 0 });
  await client.embeddings.create({ model: "chat", input: "a" });
  await host.chat();
  expect(host.engines.launches.map(({ args }) => args.includes("--embeddings"))).toEqual([
    false,
    true,
  ]);
  expect(host.engines.launches[1]?.args).toContain("mean");
  expect((await host.system()).models[0]).toMatchObject({ id: "chat", slots: 3, state: "ready" });
});

test("rerank on a chat model is refused without starting anything", async () => {
  const error = await refusalOf(await host.post("/v1/rerank", { model: "chat", query: "a" }));
  expect(error).toMatchObject({ status: 400, code: "model_capability_mismatch", param: "model" });
  expect(host.engines.launches).toHaveLength(0);
});

test("a transcription form is passed on as it is", async () => {
  const form = new FormData();
  form.set("model", "org/other");
  form.set("file", new Blob([new Uint8Array([0, 255, 13, 10])]), "a.wav");
  const url = `${host.url}/v1/audio/transcriptions`;
  const echo = (await (await fetch(url, { method: "POST", body: form })).json()) as Echo;
  expect(echo).toMatchObject({ engine: "org/other", path: "/v1/audio/transcriptions" });
  expect(echo.type).toStartWith("multipart/form-data; boundary=");
  expect(echo.body).toContain('name="file"; filename="a.wav"');

  form.set("grammar", `root ::= ${"(".repeat(1000)}`);
  const large = await refusalOf(await fetch(url, { method: "POST", body: form }));
  expect(large).toMatchObject({ status: 400, code: "limit_exceeded", param: "grammar" });

  form.delete("model");
  const missing = await refusalOf(await fetch(url, { method: "POST", body: form }));
  expect(missing).toMatchObject({ status: 400, param: "model" });
  expect((await host.post("/v1/audio/transcriptions", {})).status).toBe(415);
  const broken = {
    method: "POST",
    body: "--x\r\n",
    headers: { "content-type": "multipart/form-data; boundary=x" },
  };
  expect((await fetch(url, broken)).status).toBe(400);
});

test("an unknown model is 404 and says which there are, a missing one 400", async () => {
  const unknown = await refusalOf(await host.chat({ model: "gpt-4" }));
  expect(unknown).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  expect(unknown).toMatchObject({ message: expect.stringContaining("chat, org/other") });
  expect(await refusalOf(await host.post("/v1/completions", {}))).toMatchObject({
    status: 400,
    param: "model",
  });
  expect(await refusalOf(await host.post("/tokenize", {}))).toMatchObject({
    status: 400,
    param: "model",
  });
  expect((await host.post("/v1/chat/completions", { model: 5 })).status).toBe(400);
  expect(host.engines.launches).toHaveLength(0);
});

test("llama-server's routes for embeddings have an engine for them", async () => {
  for (const path of ["/embedding", "/embeddings"]) {
    const echo = await (await host.post(path, { model: "chat", content: "a" })).json();
    expect(echo).toMatchObject({ engine: "chat embeddings", path });
  }
  expect(await refusalOf(await host.post("/rerank", { model: "chat" }))).toMatchObject({
    code: "model_capability_mismatch",
  });
});

test("adapters are scaled by a list, slots are saved, restored and erased", async () => {
  const adapters = JSON.stringify([{ id: 0, scale: 0.5 }]);
  const scale = (body: string, query = "?model=chat") =>
    fetch(`${host.url}/lora-adapters${query}`, {
      ...{ method: "POST", body, headers: { "content-type": "application/json" } },
    });
  expect(await (await scale(adapters)).json()).toMatchObject({ engine: "chat", body: adapters });
  const unnamed = await refusalOf(await scale(adapters, ""));
  expect(unnamed).toMatchObject({ status: 400, param: "model" });
  for (const body of ["{}", "[{}]", '[{"id":0,"scale":"1"}]', "["]) {
    expect((await scale(body)).status).toBe(400);
  }
  for (const action of ["save", "restore", "erase"]) {
    const path = `/slots/2?action=${action}`;
    const response = await host.post(path, { model: "chat", filename: "a.bin" });
    expect(await response.json()).toMatchObject({ path: "/slots/2", query: `?action=${action}` });
  }
  const bare = await fetch(`${host.url}/slots/0?action=erase&model=chat`, { method: "POST" });
  expect(await bare.json()).toMatchObject({ body: "{}", query: "?action=erase" });
  const wrong = await refusalOf(await host.post("/slots/0?action=eat", { model: "chat" }));
  expect(wrong).toMatchObject({ status: 400, param: "action" });
  expect((await host.post("/slots/x?action=save", { model: "chat" })).status).toBe(404);
});

test("the node tells metrics of its own: requests, engines, memory and devices", async () => {
  await host.chat();
  const stream = await host.chat({ stream: true });
  await stream.body?.cancel();
  await host.chat({ model: "nobody" });
  await eventually(async () => (await metrics()).includes('status="cancelled"') || undefined);
  const text = await metrics();
  expect(text).toContain('llmlb_node_requests_total{model="chat",status="2xx"} 1\n');
  expect(text).toContain('llmlb_engine_events_total{model="chat",event="loaded"} 1\n');
  expect(text).toContain('llmlb_engine_state{model="chat",state="ready"} 1\n');
  expect(text).toContain('llmlb_engine_state{model="org/other",state="unloaded"} 1\n');
  expect(text).toContain('llmlb_device_free_bytes{device="CUDA0",type="gpu"} 400\n');
  expect(text).toMatch(/\nllmlb_memory_budget_bytes\{memory="host"\} \d+\n/);
  expect(text).toContain("llmlb_engine_evictions_total 0\n");
  expect(text).not.toContain("nobody");
  await host.engines.last.crash();
  const crashed = 'event="crashed"} 1';
  await eventually(async () => (await metrics()).includes(crashed) || undefined);

  async function metrics() {
    return (await host.get("/metrics")).text();
  }
});

test("with one model, no request need name it", async () => {
  await using host = new TestNode(["solo"]);
  expect((await host.post("/tokenize", { content: "a" })).status).toBe(200);
  const messages = [{ role: "user", content: "Hello" }];
  const echo = await (await host.post("/v1/chat/completions", { messages })).json();
  expect(echo).toMatchObject({ engine: "solo", body: JSON.stringify({ messages }) });
  expect((await host.post("/v1/chat/completions", { model: null, messages })).status).toBe(400);
  expect((await host.post("/v1/chat/completions", { model: "else" })).status).toBe(404);
  const props = (await (await host.get("/props?a=1&model=solo")).json()) as Echo;
  expect(props).toMatchObject({ method: "GET", path: "/props", query: "?a=1" });
  expect((await host.get("/slots")).status).toBe(200);
});

test("watching an unloaded model does not load it", async () => {
  for (const path of ["/slots", "/props", "/metrics", "/lora-adapters"]) {
    const error = await refusalOf(await host.get(`${path}?model=org/other`));
    expect(error).toMatchObject({ status: 503, code: "model_not_loaded" });
  }
  expect((await host.get("/slots")).status).toBe(400);
  expect(host.engines.launches).toHaveLength(0);
});

test("models are listed, and found with slashes written either way", async () => {
  const list = (await (await host.get("/v1/models")).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).toEqual(["chat", "org/other"]);
  const capabilities = { chat_completion: true, embeddings: true, image_understanding: false };
  expect(list.data[0]).toMatchObject({ capabilities });
  for (const id of ["org/other", "org%2Fother", "org%2fother"]) {
    const response = await host.get(`/v1/models/${id}`);
    expect(await response.json()).toMatchObject({ id: "org/other", object: "model" });
  }
  expect((await host.get("/v1/models/none")).status).toBe(404);
  expect((await host.get("/v1/models/%E0%A4%A")).status).toBe(400);
});

test("the built-in model is served in standalone mode and when there is no other", async () => {
  await using host = new TestNode([]);
  expect((await host.system()).models.map(({ id }) => id)).toEqual(["llmlb-tiny"]);
  await host.post("/v1/chat/completions", { model: "llmlb-tiny" });
  const [launch] = host.engines.launches;
  expect(launch?.modelPath).toEndWith("llmlb-tiny-q8_0.gguf");
  expect(launch?.mmprojPath).toEndWith("mmproj-llmlb-tiny-f16.gguf");
  await using both = new TestNode(["mine"], {
    mode: "standalone",
    engineArgs: ["--parallel", "8"],
  });
  const { models, slots } = await both.system();
  expect(models.map(({ id }) => id)).toEqual(["mine", "llmlb-tiny"]);
  expect(slots).toEqual({ total: 16, busy: 0 });
});

test("the system page tells devices, versions, slots and states, under both names", async () => {
  await host.node.warm("org/other");
  const info = await host.system();
  expect(info.device).toEqual({
    device_type: "gpu",
    gpu_devices: [{ name: "A GPU", total_memory_bytes: 1000, used_memory_bytes: 600 }],
  });
  expect(info.slots).toEqual({ total: 7, busy: 0 });
  expect(info.models.map(({ state }) => state)).toEqual(["unloaded", "ready"]);
  expect(info.models[0]).toEqual({ id: "chat", slots: 4, state: "unloaded" });
  expect(info.models[1]).toMatchObject({ busy: 0, size_bytes: 1, since: expect.any(String) });
  expect(info.bun_version).toBe(Bun.version);
  expect(await (await host.get("/v0/system")).json()).toEqual(info);
});

test("health is always there, readiness ends with the drain", async () => {
  expect(await (await host.get("/health")).json()).toEqual({ status: "ok" });
  expect((await host.get("/ready")).status).toBe(200);
  expect((await host.get("/startup")).status).toBe(200);
  await host.node.drain.close(0);
  expect((await host.get("/ready")).status).toBe(503);
  expect((await host.get("/health")).status).toBe(200);
  expect((await host.chat()).status).toBe(503);
});
