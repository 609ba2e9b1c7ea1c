import { afterEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { EngineLoadError } from "../engine/loaderror.ts";
import { eventually } from "../testkit/eventually.ts";
import { refusalOf, TestNode } from "../testkit/node.ts";
import { NodeModel } from "../wire/system.ts";

let host: TestNode | undefined;

afterEach(() => host?.[Symbol.asyncDispose]());

/** A node with room for two of its models of 100 bytes. */
function nodeWith(more: Partial<Settings> = {}): TestNode {
  host = new TestNode(["a", "org/b", "c"], { modelsMemoryBytes: 200, ...more });
  for (const name of ["0", "1", "2"]) {
    writeFileSync(join(host.engines.folder, `${name}.gguf`), Buffer.alloc(100));
  }
  return host;
}

const change = (node: TestNode, action: string, model: string, more: object = {}) =>
  node.post(`/api/models/${action}`, { model, ...more });

async function entryOf(answer: Promise<Response>): Promise<NodeModel> {
  const response = await answer;
  expect(response.status).toBe(200);
  return NodeModel.parse(await response.json());
}

async function loaded(node: TestNode): Promise<string[]> {
  const { models } = await node.system();
  return models.filter(({ state }) => state === "ready").map(({ id }) => id);
}

test("a model is loaded, and how long it stays is said with it", async () => {
  const node = nodeWith();
  const entry = await entryOf(change(node, "load", "org/b", { keep_alive: "1h" }));
  expect(entry).toMatchObject({ id: "org/b", state: "ready", reserved_bytes: 100 });
  expect(Date.parse(entry.expires_at ?? "") - Date.now()).toBeGreaterThan(3_500_000);
  expect((await node.post("/models/load", { model: "a" })).status).toBe(200);
  expect(await loaded(node)).toEqual(["a", "org/b"]);
});

test("what is no model, no time or no field is refused", async () => {
  const node = nodeWith();
  expect((await change(node, "load", "nope")).status).toBe(404);
  expect((await change(node, "pin", "nope")).status).toBe(404);
  const refused = [{ keep_alive: 0 }, { keep_alive: "soon" }, { nonsense: 1 }];
  for (const more of refused) expect((await change(node, "load", "a", more)).status).toBe(400);
  expect(await loaded(node)).toEqual([]);
});

test("a load that fails says why, and pins nothing", async () => {
  const node = nodeWith();
  writeFileSync(join(node.engines.folder, "0.gguf"), Buffer.alloc(300));
  const error = await refusalOf(await change(node, "pin", "a"));
  expect(error).toMatchObject({ code: "too_large" });
  writeFileSync(join(node.engines.folder, "0.gguf"), Buffer.alloc(100));
  expect((await entryOf(change(node, "load", "a"))).pinned).toBeUndefined();
});

test("a model is unloaded: at once if nobody uses it, else with its last request", async () => {
  const node = nodeWith({ pinned: ["a"] });
  await entryOf(change(node, "load", "a"));
  expect(await entryOf(change(node, "unload", "a"))).toMatchObject({ state: "unloaded" });
  const messages = [{ role: "user", content: "Hello" }];
  const stream = await node.post("/v1/chat/completions", { model: "a", messages, stream: true });
  const reader = stream.body?.getReader();
  await reader?.read();
  expect(await entryOf(change(node, "unload", "a"))).toMatchObject({ state: "ready" });
  await reader?.cancel();
  await eventually(async () => ((await loaded(node)).length === 0 ? true : undefined), 2000);
});

test("a load takes back that a model is to end with its last request", async () => {
  const node = nodeWith();
  const messages = [{ role: "user", content: "Hello" }];
  const stream = await node.post("/v1/chat/completions", { model: "a", messages, stream: true });
  const reader = stream.body?.getReader();
  await reader?.read();
  await change(node, "unload", "a");
  await entryOf(change(node, "load", "a"));
  await reader?.cancel();
  await eventually(async () => ((await node.system()).slots.busy === 0 ? true : undefined), 2000);
  expect(await loaded(node)).toEqual(["a"]);
});

test("a pin loads a model and keeps it for others' loads, until it is taken back", async () => {
  const node = nodeWith();
  expect(await entryOf(change(node, "pin", "a"))).toMatchObject({ pinned: true, state: "ready" });
  for (const model of ["org/b", "c"]) await entryOf(change(node, "load", model));
  expect(await loaded(node)).toEqual(["a", "c"]);
  await entryOf(change(node, "pin", "c"));
  expect((await entryOf(change(node, "unpin", "a"))).pinned).toBeUndefined();
  await entryOf(change(node, "load", "org/b"));
  expect(await loaded(node)).toEqual(["org/b", "c"]);
});

test("a model whose time is over ends when its pin is taken back", async () => {
  const node = nodeWith({ keepAliveMs: 10, pinned: ["a"] });
  await entryOf(change(node, "load", "a"));
  await change(node, "unpin", "a");
  await eventually(async () => ((await loaded(node)).length === 0 ? true : undefined), 2000);
});

test("pins hold after a restart, and a web page cannot set them", async () => {
  const node = nodeWith();
  const body = JSON.stringify({ model: "a" });
  const headers = { "content-type": "text/plain" };
  const page = await fetch(`${node.url}/api/models/pin`, { method: "POST", body, headers });
  expect(page.status).toBe(415);
  await entryOf(change(node, "pin", "a"));
  const file = readFileSync(join(node.engines.folder, "pins.json"), "utf8");
  expect(JSON.parse(file)).toEqual({ pins: { a: true } });
});

/** Of the last engine of the first model. */
const argsOf = (node: TestNode) =>
  node.engines.launches.findLast(({ modelId }) => modelId === "a")?.args.join(" ") ?? "";

test("a load sets how its model runs, above its own settings, until it is unloaded", async () => {
  const node = nodeWith({ engineArgs: ["--threads", "2"] });
  const settings = { num_ctx: 512, threads: 9, parallel: 2 };
  const entry = await entryOf(change(node, "load", "a", { settings }));
  const load_settings = { ctx_size: 512, threads: 9, parallel: 2 };
  expect(entry).toMatchObject({ state: "ready", load_settings });
  expect(argsOf(node)).toContain("--ctx-size 512 --parallel 2");
  expect(argsOf(node)).toContain("--threads 2");
  expect(argsOf(node)).not.toContain("--threads 9");

  // The same ones again, and a load that says none, change nothing.
  await entryOf(change(node, "load", "a", { settings: load_settings }));
  await entryOf(change(node, "load", "a"));
  expect(node.engines.launches).toHaveLength(1);

  // They outlast an engine that ended for another model.
  for (const model of ["org/b", "c"]) await entryOf(change(node, "load", model));
  await entryOf(change(node, "load", "a"));
  expect(argsOf(node)).toContain("--ctx-size 512");

  await entryOf(change(node, "unload", "a"));
  const again = await entryOf(change(node, "load", "a"));
  expect(again.load_settings).toBeUndefined();
  expect(argsOf(node)).not.toContain("--ctx-size 512");
});

test("other settings are for the requests to come: what runs is finished", async () => {
  const node = nodeWith({ drainTimeoutMs: 50 });
  const messages = [{ role: "user", content: "Hello" }];
  const stream = await node.post("/v1/chat/completions", { model: "a", messages, stream: true });
  const reader = stream.body?.getReader();
  await reader?.read();
  const first = node.engines.last;
  await entryOf(change(node, "load", "a", { settings: { parallel: 7 } }));
  expect(node.engines.last).not.toBe(first);
  let hasEnded = false;
  first.exited.then(() => {
    hasEnded = true;
  });
  await Bun.sleep(150);
  expect(hasEnded).toBe(false);
  await reader?.cancel();
  await first.exited;
  // Its end takes nothing away from the one that replaced it.
  expect((await node.system()).memory?.reserved_bytes).toBe(100);
  await entryOf(change(node, "load", "a", { settings: {} }));
  expect(argsOf(node)).not.toContain("--parallel 7");
});

test("requests that wait for an engine get its answer although it is replaced", async () => {
  const node = nodeWith();
  const gate = Promise.withResolvers<void>();
  node.engines.hold(gate.promise);
  const messages = [{ role: "user", content: "Hello" }];
  const answer = node.post("/v1/chat/completions", { model: "a", messages });
  await node.engines.launched;
  const other = change(node, "load", "a", { settings: { parallel: 7 } });
  await eventually(async () => (node.engines.launches.length === 2 ? true : undefined), 2000);
  gate.resolve();
  expect((await answer).status).toBe(200);
  expect((await entryOf(other)).state).toBe("ready");
});

test("settings that are wrong, or of one host, change nothing", async () => {
  const node = nodeWith();
  await entryOf(change(node, "load", "a", { settings: { parallel: 2 } }));
  for (const [settings, message] of [
    [{ ctx: "x" }, "there is no setting"],
    [{ ctx_size: "x" }, "ctx_size: must be a whole number"],
    [{ lora: ["/etc/passwd"] }, "must be the name of a file beside the model's own"],
    [{ lora: ["absent.gguf:0.5"] }, "there is no file absent.gguf beside the model's own"],
    [{ device: "CUDA0" }, "device names something of one host"],
    [{ args: ["--log-file", "x"] }, "--log-file names something of one host"],
    [{ args: ["--no-such-thing"] }, "invalid argument: --no-such-thing"],
  ] as const) {
    const error = await refusalOf(await change(node, "load", "a", { settings }));
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining(message) });
  }
  expect(node.engines.launches).toHaveLength(1);
  node.engines.hold(Promise.reject(new EngineLoadError("out_of_memory", "Too much.")));
  const failed = await change(node, "load", "a", { settings: { ctx_size: 1e9 } });
  expect(await refusalOf(failed)).toMatchObject({ code: "out_of_memory" });
  node.engines.hold(Promise.resolve());
  const { load_settings } = await entryOf(change(node, "load", "a"));
  expect(load_settings).toEqual({ parallel: 2 });
});
