import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import type { Settings } from "../config/settings.ts";
import { EngineLoadError } from "../engine/launch.ts";
import { type Listener, listen } from "../http/listen.ts";
import { createLogger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";
import { NodeSystem } from "../wire/system.ts";
import { type Echo, FakeEngines } from "./fakeengine.ts";
import { createNode, type LlmlbNode } from "./node.ts";

const GPU: Device = {
  name: "CUDA0",
  description: "A GPU",
  type: "gpu",
  total_memory_bytes: 1000,
  free_memory_bytes: 400,
};

let engines: FakeEngines;
let node: LlmlbNode;
let listener: Listener;
let base: string;

beforeEach(() => {
  engines = new FakeEngines();
  start(["org/chat", "other"]);
});

afterEach(async () => {
  await node.close();
  await listener.stop(true);
  engines.close();
});

function start(ids: string[], more: Partial<Settings> = {}): void {
  const models = ids.map((id, i) => ({ id, path: join(engines.folder, `${i}.gguf`) }));
  const settings: Settings = {
    mode: "node",
    host: "127.0.0.1",
    port: 0,
    nodePort: 0,
    home: engines.folder,
    logLevel: "silent",
    insecure: false,
    endpoints: [],
    models,
    engineArgs: [],
    bodyLimitBytes: 10_000,
    firstByteTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    drainTimeoutMs: 5000,
    healthIntervalMs: 1000,
    healthTimeoutMs: 1000,
    loadTimeoutMs: 5000,
    ...more,
  };
  const log = createLogger({ level: "silent" });
  const { launch } = engines;
  node = createNode({ settings, log, launch, probe: async () => [GPU] });
  listener = listen(node.app, { host: "127.0.0.1", port: 0 });
  base = listener.url;
}

async function restart(ids: string[], more: Partial<Settings> = {}): Promise<void> {
  await listener.stop(true);
  start(ids, more);
}

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(base + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    ...(signal ? { signal } : {}),
  });
}

const chat = (more: object = {}, signal?: AbortSignal) =>
  post("/v1/chat/completions", { model: "org/chat", messages: [], ...more }, signal);

async function system(): Promise<NodeSystem> {
  return NodeSystem.parse(await (await fetch(`${base}/api/system`)).json());
}

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error };
}

test.each([
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
  "/v1/messages/count_tokens",
  "/infill",
  "/tokenize",
  "/detokenize",
  "/apply-template",
])("POST %s reaches the model's engine with its bytes unchanged", async (path) => {
  const response = await post(path, { model: "org/chat", odd: "ü", n: 1.0 });
  const echo = (await response.json()) as Echo;
  expect(response.status).toBe(200);
  expect(echo).toMatchObject({ engine: "org/chat", method: "POST", path });
  expect(echo.body).toBe('{"model":"org/chat","odd":"ü","n":1}');
});

test("embeddings run on an engine of their own beside the chat engine", async () => {
  await chat();
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "x", maxRetries: 0 });
  await client.embeddings.create({ model: "org/chat", input: "a" });
  await chat();
  expect(engines.launches.map(({ args }) => args.includes("--embeddings"))).toEqual([false, true]);
  expect(engines.launches[1]?.args).toContain("mean");
  expect((await system()).models[0]).toEqual({ id: "org/chat", slots: 3, state: "ready" });
});

test("rerank on a chat model is refused without starting anything", async () => {
  const error = await errorOf(await post("/v1/rerank", { model: "org/chat", query: "a" }));
  expect(error).toMatchObject({ status: 400, code: "model_capability_mismatch", param: "model" });
  expect(engines.launches).toHaveLength(0);
});

test("a transcription form is passed on as it is", async () => {
  const form = new FormData();
  form.set("model", "other");
  form.set("file", new Blob([new Uint8Array([0, 255, 13, 10])]), "a.wav");
  const url = `${base}/v1/audio/transcriptions`;
  const echo = (await (await fetch(url, { method: "POST", body: form })).json()) as Echo;
  expect(echo).toMatchObject({ engine: "other", path: "/v1/audio/transcriptions" });
  expect(echo.type).toStartWith("multipart/form-data; boundary=");
  expect(echo.body).toContain('name="file"; filename="a.wav"');

  form.delete("model");
  const missing = await errorOf(await fetch(url, { method: "POST", body: form }));
  expect(missing).toMatchObject({ status: 400, param: "model" });
  expect((await post("/v1/audio/transcriptions", {})).status).toBe(415);
  const broken = {
    method: "POST",
    body: "--x\r\n",
    headers: { "content-type": "multipart/form-data; boundary=x" },
  };
  expect((await fetch(url, broken)).status).toBe(400);
});

test("an unknown model is 404 and says which there are, a missing one 400", async () => {
  const unknown = await errorOf(await chat({ model: "gpt-4" }));
  expect(unknown).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  expect(unknown).toMatchObject({ message: expect.stringContaining("org/chat, other") });
  expect(await errorOf(await post("/v1/completions", {}))).toMatchObject({
    status: 400,
    param: "model",
  });
  expect(await errorOf(await post("/tokenize", {}))).toMatchObject({ status: 400, param: "model" });
  expect((await post("/v1/chat/completions", { model: 5 })).status).toBe(400);
  expect(engines.launches).toHaveLength(0);
});

test("with one model, native routes and GETs need no name, /v1 routes do", async () => {
  await restart(["solo"]);
  expect((await post("/tokenize", { content: "a" })).status).toBe(200);
  expect((await post("/v1/chat/completions", {})).status).toBe(400);
  expect((await post("/v1/chat/completions", { model: "else" })).status).toBe(404);
  const props = (await (await fetch(`${base}/props?a=1&model=solo`)).json()) as Echo;
  expect(props).toMatchObject({ method: "GET", path: "/props", query: "?a=1" });
  expect((await fetch(`${base}/slots`)).status).toBe(200);
});

test("watching an unloaded model does not load it", async () => {
  const error = await errorOf(await fetch(`${base}/metrics?model=other`));
  expect(error).toMatchObject({ status: 503, code: "model_not_loaded" });
  expect((await fetch(`${base}/slots`)).status).toBe(400);
  expect(engines.launches).toHaveLength(0);
});

test("models are listed, and found with slashes written either way", async () => {
  const list = (await (await fetch(`${base}/v1/models`)).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).toEqual(["org/chat", "other"]);
  for (const id of ["org/chat", "org%2Fchat", "org%2fchat"]) {
    const response = await fetch(`${base}/v1/models/${id}`);
    expect(await response.json()).toMatchObject({ id: "org/chat", object: "model" });
  }
  expect((await fetch(`${base}/v1/models/none`)).status).toBe(404);
  expect((await fetch(`${base}/v1/models/%E0%A4%A`)).status).toBe(400);
});

test("the built-in model is served in standalone mode and when there is no other", async () => {
  await restart([]);
  expect((await system()).models.map(({ id }) => id)).toEqual(["llmlb-tiny"]);
  await post("/v1/chat/completions", { model: "llmlb-tiny" });
  const [launch] = engines.launches;
  expect(launch?.modelPath).toEndWith("llmlb-tiny-q8_0.gguf");
  expect(launch?.mmprojPath).toEndWith("mmproj-llmlb-tiny-f16.gguf");
  await restart(["mine"], { mode: "standalone", engineArgs: ["--parallel", "8"] });
  const { models, slots } = await system();
  expect(models.map(({ id }) => id)).toEqual(["mine", "llmlb-tiny"]);
  expect(slots).toEqual({ total: 16, busy: 0 });
});

test("the system page tells devices, versions, slots and states, under both names", async () => {
  await node.warm("other");
  const info = await system();
  expect(info.device).toEqual({
    device_type: "gpu",
    gpu_devices: [{ name: "A GPU", total_memory_bytes: 1000, used_memory_bytes: 600 }],
  });
  expect(info.slots).toEqual({ total: 7, busy: 0 });
  expect(info.models.map(({ state }) => state)).toEqual(["unloaded", "ready"]);
  expect(info.bun_version).toBe(Bun.version);
  expect(await (await fetch(`${base}/v0/system`)).json()).toEqual(info);
});

test("health is always there, readiness ends with the drain", async () => {
  expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: "ok" });
  expect((await fetch(`${base}/ready`)).status).toBe(200);
  expect((await fetch(`${base}/startup`)).status).toBe(200);
  await node.drain.close(0);
  expect((await fetch(`${base}/ready`)).status).toBe(503);
  expect((await fetch(`${base}/health`)).status).toBe(200);
  expect((await chat()).status).toBe(503);
});

test("requests at once share one load, and one that leaves does not stop it", async () => {
  const gate = Promise.withResolvers<void>();
  engines.hold(gate.promise);
  const leaver = new AbortController();
  const gone = chat({}, leaver.signal).catch((error: Error) => error.name);
  const others = [chat(), chat(), chat()];
  while (engines.launches.length === 0) await Bun.sleep(1);
  expect((await system()).models[0]?.state).toBe("loading");
  leaver.abort();
  expect(await gone).toBe("AbortError");
  gate.resolve();
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200]);
  expect(engines.launches).toHaveLength(1);
});

test("a load that outlasts the request's limit is 503 with Retry-After, and goes on", async () => {
  await restart(["org/chat"], { firstByteTimeoutMs: 20 });
  const gate = Promise.withResolvers<void>();
  engines.hold(gate.promise);
  const response = await chat();
  expect(response.headers.get("retry-after")).toBe("10");
  expect(await errorOf(response)).toMatchObject({ status: 503, code: "model_loading" });
  gate.resolve();
  await node.warm("org/chat");
  expect(engines.launches).toHaveLength(1);
});

test("a bad file fails with its reason, once, until the file changes", async () => {
  engines.hold(Promise.reject(new EngineLoadError("not_gguf", "It is not a GGUF file.")));
  for (let i = 0; i < 2; i += 1) {
    const error = await errorOf(await chat());
    expect(error).toMatchObject({ status: 503, code: "not_gguf" });
    expect(error).toMatchObject({ message: expect.stringContaining("It is not a GGUF file.") });
  }
  expect(engines.launches).toHaveLength(1);
  expect((await system()).models[0]).toMatchObject({ state: "failed" });
  engines.hold(Promise.resolve());
  writeFileSync(join(engines.folder, "0.gguf"), "now it is there");
  expect((await chat()).status).toBe(200);
});

test("a load that may work later backs off", async () => {
  engines.hold(Promise.reject(new EngineLoadError("out_of_memory", "Too little memory.")));
  expect((await chat()).headers.get("retry-after")).toBeNull();
  const again = await chat();
  expect(again.headers.get("retry-after")).toBe("1");
  expect(await errorOf(again)).toMatchObject({ status: 503, code: "out_of_memory" });
  expect(engines.launches).toHaveLength(1);
});

test("an engine that dies before it answers is 502 engine_crashed; the next request restarts it", async () => {
  await node.warm("org/chat");
  await node.warm("other");
  engines.running[0]?.reached.promise.then(() => engines.running[0]?.crash());
  if (engines.running[0]) engines.running[0].gate = new Promise(() => undefined);
  const error = await errorOf(await chat());
  expect(error).toMatchObject({ status: 502, code: "engine_crashed" });
  expect(error).toMatchObject({ message: expect.stringContaining("org/chat ended unexpectedly") });
  expect((await system()).models[1]?.state).toBe("ready");
  expect((await chat()).status).toBe(200);
  expect(engines.launches).toHaveLength(3);

  await engines.last.crash();
  const refused = await chat();
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await errorOf(refused)).toMatchObject({ status: 503, code: "engine_crashed" });
  expect((await system()).models[0]).toMatchObject({ state: "failed" });
});

test("an engine that dies in mid-stream ends the stream with an error event", async () => {
  const response = await chat({ stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe('data: {"n":1}\n\n');
  expect((await system()).slots.busy).toBe(1);
  await engines.last.crash();
  let rest = "";
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    rest += next.value;
  }
  expect(rest).toContain('"code":"engine_crashed"');
  expect(rest).toContain("ended unexpectedly");
  expect((await system()).slots.busy).toBe(0);
});

test("a client that leaves a stream frees the engine", async () => {
  const leaver = new AbortController();
  const response = await chat({ stream: true }, leaver.signal);
  await response.body?.getReader().read();
  expect((await system()).slots.busy).toBe(1);
  leaver.abort();
  await engines.last.left.promise;
  expect((await system()).slots.busy).toBe(0);
});

test("a client that leaves before the answer begins frees the engine", async () => {
  await node.warm("org/chat");
  engines.last.gate = new Promise(() => undefined);
  const leaver = new AbortController();
  const gone = chat({}, leaver.signal).catch((error: Error) => error.name);
  await engines.last.reached.promise;
  leaver.abort();
  expect(await gone).toBe("AbortError");
  await engines.last.left.promise;
});

test("closing ends the engines and refuses to start new ones", async () => {
  await node.warm("org/chat");
  await node.close();
  expect(await engines.last.exited).toMatchObject({ expected: true });
  expect((await chat()).status).toBe(503);
  expect(node.warm("nope")).rejects.toMatchObject({ status: 404 });
});
