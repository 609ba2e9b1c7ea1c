import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openai, post, says, systemOf } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(20_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));

const folder = temporaryHome();
const file = (name: string) => join(folder.path, `${name}.gguf`);

let program: Program;
beforeAll(async () => {
  copyFileSync(GGUF, file("first"));
  copyFileSync(GGUF, file("second"));
  copyFileSync(GGUF, file("third"));
  const models = ["first", "second", "third"].flatMap((name) => ["--model", file(name)]);
  program = await Program.start({
    mode: "node",
    args: [...models, "--", "--threads", "1", "--parallel", "2", "--ctx-size", "4096"],
  });
});
afterAll(async () => {
  await program?.stop();
  folder[Symbol.dispose]();
});

const system = () => systemOf(program.url);

async function stateOf(id: string) {
  return (await system()).models.find((model) => model.id === id)?.state;
}

/** The log that tells of an engine may come a moment after its first answer. */
async function enginesStarted(count: number) {
  await eventually(() => program.engines >= count || undefined);
  expect(program.engines).toBe(count);
}

const ask = (model: string, more: object = {}) =>
  post(`${program.url}/v1/chat/completions`, { model, messages: says("Goodbye"), ...more });

describe("a node", () => {
  test("lives, is ready and lists its models by their files' names", async () => {
    const health = await fetch(`${program.url}/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { status: "ok" }]);
    const ready = await fetch(`${program.url}/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: "ready", models: 3 }]);
    const { data } = await openai(program).models.list();
    expect(data.map(({ id }) => id)).toEqual(["first", "second", "third"]);
    expect((await openai(program).models.retrieve("second")).id).toBe("second");
  });

  test("tells its devices, slots and versions under both paths", async () => {
    const told = await system();
    expect(told.devices.map(({ type }) => type)).toContain("cpu");
    for (const device of told.devices) {
      expect(device.total_memory_bytes).toBeGreaterThanOrEqual(device.free_memory_bytes);
    }
    const hasGpu = told.devices.some(({ type }) => type === "gpu" || type === "igpu");
    expect(told.device.device_type).toBe(hasGpu ? "gpu" : "cpu");
    expect(told.device.gpu_devices.length > 0).toBe(hasGpu);
    expect(told.slots).toEqual({ total: 6, busy: 0 });
    expect(told.models.map(({ slots }) => slots)).toEqual([2, 2, 2]);
    expect(told.llmlb_version).toMatch(/^\d+\.\d+\.\d+/);
    const older = await fetch(`${program.url}/v0/system`);
    expect(Object.keys((await older.json()) as object)).toEqual(Object.keys(told));
  });

  test("loads its first model at once, and any other with its first request", async () => {
    const loaded = async () => (await stateOf("first")) === "ready" || undefined;
    await eventually(loaded);
    await enginesStarted(1);
    expect(await stateOf("second")).toBe("unloaded");
    const before = program.engines;
    const watched = await fetch(`${program.url}/slots?model=second`);
    expect(watched.status).toBe(503);
    expect(await watched.json()).toMatchObject({ error: { code: "model_not_loaded" } });
    expect(await stateOf("second")).toBe("unloaded");
    expect((await ask("second")).status).toBe(200);
    expect(await stateOf("second")).toBe("ready");
    expect(await stateOf("third")).toBe("unloaded");
    await enginesStarted(before + 1);
  });

  test("loads once for many requests at once", async () => {
    const before = program.engines;
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask("third")));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    await enginesStarted(before + 1);
  });

  test("counts busy slots while it works", async () => {
    const abort = new AbortController();
    const more = { ignore_eos: true, max_tokens: 1500, stream: true };
    const body = { model: "first", messages: says("Tell me a story about a robot"), ...more };
    const running = post(`${program.url}/v1/chat/completions`, body, { signal: abort.signal });
    await eventually(async () => (await system()).slots.busy === 1 || undefined);
    abort.abort();
    await running.catch(() => undefined); // aborted before or after its head came
    await eventually(async () => (await system()).slots.busy === 0 || undefined, 1000);
  });

  test("shows an engine's own routes", async () => {
    const slots = await fetch(`${program.url}/slots?model=first`);
    expect(await slots.json()).toHaveLength(2);
    const props = await fetch(`${program.url}/props?model=first`);
    expect(await props.json()).toMatchObject({ total_slots: 2, model_alias: "first" });
    const body = { model: "first", content: "Goodbye" };
    const tokens = await post(`${program.url}/tokenize`, body);
    const { tokens: ids } = (await tokens.json()) as { tokens: number[] };
    expect(ids.length).toBeGreaterThan(1);
    const text = await post(`${program.url}/detokenize`, { model: "first", tokens: ids });
    expect(await text.json()).toEqual({ content: "Goodbye" });
    const metrics = await fetch(`${program.url}/metrics?model=first`);
    expect(await metrics.text()).toContain("llamacpp:tokens_predicted_total");
    const own = await (await fetch(`${program.url}/metrics`)).text();
    expect(own).toContain('llmlb_engine_state{model="first",state="ready"} 1');
    expect(own).toMatch(/llmlb_node_tokens_total{model="third",type="output"} \d+/);
    const unnamed = await fetch(`${program.url}/props`);
    expect(unnamed.status).toBe(400);
    expect(await unnamed.json()).toMatchObject({ error: { param: "model" } });
  });

  test("answers llama-server's routes, with timings and cached tokens", async () => {
    const json = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const response = await post(program.url + path, body);
      return { status: response.status, ...((await response.json()) as object) };
    };
    const prompt = "<|im_start|>user\nGoodbye<|im_end|>\n<|im_start|>assistant\n";
    const completion = { model: "first", prompt, n_predict: 8, temperature: 0 };
    for (const path of ["/completion", "/completions"]) {
      expect(await json(path, completion)).toMatchObject({ status: 200, content: "Goodbye!" });
    }
    const chat = { model: "first", messages: says("Goodbye") };
    await json("/v1/chat/completions", chat);
    const again = await json("/chat/completions", chat);
    expect(again).toMatchObject({ status: 200, timings: { predicted_n: expect.any(Number) } });
    const usage = again.usage as { prompt_tokens: number; prompt_tokens_details: object };
    expect(usage.prompt_tokens_details).toEqual({ cached_tokens: expect.any(Number) });
    expect(again).toMatchObject({ timings: { cache_n: expect.any(Number) } });
    const counted = await json("/v1/chat/completions/input_tokens", chat);
    expect(counted.input_tokens).toBe(usage.prompt_tokens);
    const adapters = await fetch(`${program.url}/lora-adapters?model=first`, {
      ...{ method: "POST", body: "[]", headers: { "content-type": "application/json" } },
    });
    expect([adapters.status, await adapters.json()]).toEqual([200, { success: true }]);
    expect(await json("/slots/0?action=save", { model: "first", filename: "a" })).toMatchObject({
      ...{ status: 501, error: { code: "not_supported" } },
    });
  });

  test("says by how much a prompt is too long", async () => {
    const long = { model: "first", messages: says("Goodbye ".repeat(5000)) };
    const response = await post(`${program.url}/v1/chat/completions`, long);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(response.status).toBe(400);
    expect(error).toMatchObject({ code: "context_length_exceeded", type: "invalid_request_error" });
    expect(error.n_prompt_tokens).toBeGreaterThan(error.n_ctx as number);
  });

  test("starts a second engine of a model for embeddings", async () => {
    const before = program.engines;
    const { data } = await openai(program).embeddings.create({ model: "first", input: "Goodbye" });
    expect(data[0]?.embedding).toHaveLength(256);
    const native = await post(`${program.url}/embedding`, { model: "first", content: "Goodbye" });
    expect(await native.json()).toMatchObject([{ index: 0, embedding: [expect.any(Array)] }]);
    await enginesStarted(before + 1);
    expect((await ask("first")).status).toBe(200);
  });

  test("refuses what a model is not made for", async () => {
    const body = { model: "first", query: "a", documents: ["b"] };
    const response = await post(`${program.url}/v1/rerank`, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "model_capability_mismatch" } });
  });
});

test("a model whose file comes late is served from then on", async () => {
  const late = join(folder.path, "late.gguf");
  copyFileSync(GGUF, late);
  const node = await Program.start({
    mode: "node",
    args: ["--model", file("first"), "--model", late, "--", "--threads", "1"],
  });
  try {
    renameSync(late, `${late}.away`);
    const request = { model: "late", messages: says("Goodbye") };
    const missing = await post(`${node.url}/v1/chat/completions`, request);
    expect(missing.status).toBe(503);
    expect(await missing.json()).toMatchObject({ error: { code: "not_found" } });
    renameSync(`${late}.away`, late);
    expect((await post(`${node.url}/v1/chat/completions`, request)).status).toBe(200);
  } finally {
    await node.stop();
  }
});

test.skipIf(process.platform !== "linux")(
  "an engine inherits no key and gains nothing",
  async () => {
    const env = {
      OPENAI_API_KEY: "sk-1",
      HF_TOKEN: "hf-1",
      LLAMA_API_KEY: "k",
      MY_SETTING: "mine",
    };
    const own = { GGML_NO_SUCH_SETTING: "1" };
    const args = ["--model", file("first"), "--", "--threads", "1"];
    const node = await Program.start({ mode: "node", env: { ...env, ...own }, args });
    try {
      const folder = `/proc/${node.enginePid("first")}`;
      const inherited = readFileSync(`${folder}/environ`, "utf8").split("\0");
      expect(inherited).toContain("GGML_NO_SUCH_SETTING=1");
      for (const name of Object.keys(env)) {
        expect(inherited.some((entry) => entry.startsWith(`${name}=`))).toBe(false);
      }
      expect(readFileSync(`${folder}/status`, "utf8")).toMatch(/^NoNewPrivs:\t1$/m);
      expect(readFileSync(`${folder}/limits`, "utf8")).toMatch(/^Max core file size +0 +0 /m);
    } finally {
      await node.stop();
    }
  },
);
