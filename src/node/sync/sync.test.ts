import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chatTemplateHash } from "../../model/chattemplatehash.ts";
import { eventually } from "../../testkit/eventually.ts";
import { refusalOf, TestNode } from "../../testkit/node.ts";
import { FileServer, testManifest } from "../../testkit/servers/files.ts";
import { FakeSyncBalancer } from "../../testkit/servers/syncbalancer.ts";

const ID = "hf/org/model";
const FILE = "model-Q4_0.gguf";
const SIZE = 3_000_000;

let parent: FakeSyncBalancer;
let hub: FileServer;
let host: TestNode;

beforeEach(async () => {
  parent = new FakeSyncBalancer();
  hub = await FileServer.start();
  const artifact = hub.add(FILE, SIZE, { quantization: "Q4_0" });
  parent.manifests.set(ID, { ...testManifest([artifact]), model: ID, revision: "main" });
  host = new TestNode(["chat"], { hubUrl: hub.url }, parent.link);
  writeFileSync(join(host.engines.folder, "0.gguf"), "weights");
});

afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  await parent[Symbol.asyncDispose]();
});

const folder = () => join(host.engines.folder, "models/hf/org/model");
const chat = (model: string) => host.chat({ model });
/** Lets the node ask again, and waits until it has done what follows. */
async function synced(): Promise<void> {
  const before = parent.asked;
  await host.post("/api/models/pull", {});
  await eventually(() => parent.asked > before || undefined);
  await settled();
}

async function settled(): Promise<void> {
  await eventually(async () => {
    const { data, sync } = (await (await host.get("/api/models")).json()) as {
      data: { state: string }[];
      sync: { state: string };
    };
    const busy = data.some(({ state }) => state === "waiting" || state === "pulling");
    return (!busy && sync.state !== "syncing") || undefined;
  });
}

async function pulled(): Promise<void> {
  if (parent.list?.models.length === 0) parent.want([ID]);
  host.node.start();
  await eventually(() => existsSync(join(folder(), FILE)) || undefined);
  await settled();
}

test("until the list has come, unknown models are 503 and known ones work", async () => {
  const gate = Promise.withResolvers<void>();
  parent.gate = gate.promise;
  host.node.start();
  await eventually(() => parent.asked > 0 || undefined);
  expect((await host.get("/startup")).status).toBe(503);
  const refused = await chat("other");
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(await refusalOf(refused)).toMatchObject({ status: 503, code: "syncing" });
  expect((await chat("chat")).status).toBe(200);
  gate.resolve();
  await eventually(async () => (await host.get("/startup")).status === 200 || undefined);
  expect((await chat("other")).status).toBe(404);
});

test("a balancer that fails keeps nobody waiting, and is asked again", async () => {
  parent.list = undefined;
  host.node.start();
  await eventually(async () => (await host.get("/ready")).status === 200 || undefined);
  expect((await chat("other")).status).toBe(404);
  parent.want([ID]);
  await eventually(async () => (await chat("org/model")).status === 200 || undefined);
});

test("what is listed comes, is served by its names, and is told", async () => {
  await pulled();
  for (const name of [ID, "org/model", `${ID}:Q4_0`]) expect((await chat(name)).status).toBe(200);
  const report = await eventually(() => {
    return parent.report?.serves.includes(ID) === true ? parent.report : undefined;
  });
  expect(report.models).toEqual([
    { id: ID, state: "ready", revision: "main", files: [FILE], progress: null, error: null },
  ]);
});

test("nothing is deleted on a failure, a refusal or a list that is not complete", async () => {
  await pulled();
  parent.list = undefined;
  await host.post("/api/models/pull", {});
  await eventually(() => parent.asked > 2 || undefined);
  expect(existsSync(join(folder(), FILE))).toBe(true);
  parent.want([], { complete: false });
  await synced();
  expect(existsSync(join(folder(), FILE))).toBe(true);
  expect((await chat(ID)).status).toBe(200);
});

test("what is listed no more goes once its requests have ended; a person's stays", async () => {
  await pulled();
  mkdirSync(join(host.engines.folder, "models/mine"));
  writeFileSync(join(host.engines.folder, "models/mine/model.gguf"), "mine");
  await chat(ID);
  const gate = Promise.withResolvers<void>();
  host.engines.last.gate = gate.promise;
  const request = chat(ID);
  await eventually(async () => (await host.system()).slots.busy === 1 || undefined);
  parent.want([]);
  await host.post("/api/models/pull", {});
  const shown = `/v1/models/${ID}`;
  await eventually(async () => (await host.get(shown)).status === 404 || undefined);
  expect(existsSync(join(folder(), FILE))).toBe(true);
  gate.resolve();
  expect((await request).status).toBe(200);
  await eventually(() => !existsSync(folder()) || undefined);
  await settled();
  expect((await chat("mine")).status).toBe(200);
});

test("a pull of what is listed no more ends, and leaves nothing", async () => {
  hub.treat = () => ({ pauseMs: 20 });
  parent.want([ID]);
  host.node.start();
  await eventually(() => existsSync(join(folder(), `${FILE}.part`)) || undefined);
  expect(await refusalOf(await chat(ID))).toMatchObject({ status: 503, code: "model_pulling" });
  parent.want([]);
  await host.post("/api/models/pull", {});
  await eventually(() => !existsSync(folder()) || undefined);
  expect((await chat(ID)).status).toBe(404);
});

test("what an earlier run began and is listed no more leaves nothing either", async () => {
  const record = { id: ID, files: [{ name: FILE, size_bytes: SIZE, sha256: null, mtime_ms: 0 }] };
  const files = record.files.map((file) => ({ ...file, placed_by: "sync" }));
  mkdirSync(folder(), { recursive: true });
  writeFileSync(join(folder(), "manifest.json.part"), JSON.stringify({ ...record, files }));
  writeFileSync(join(folder(), `${FILE}.part`), "some");
  host.node.start();
  await eventually(() => !existsSync(folder()) || undefined);
});

test("another revision is pulled anew, and served by a new engine", async () => {
  await pulled();
  await chat(ID);
  const [before] = host.engines.launches;
  const artifact = hub.add(FILE, SIZE + 1, { quantization: "Q4_0" });
  parent.manifests.set(ID, { ...testManifest([artifact]), model: ID, revision: "next" });
  parent.want([ID], { revision: "next" });
  await synced();
  await eventually(async () => {
    await chat(ID);
    return host.engines.launches.length > 1 || undefined;
  });
  expect(host.engines.launches[1]?.modelPath).toBe(before?.modelPath ?? "");
  expect(readdirSync(folder()).sort()).toEqual(["manifest.json", FILE].sort());
});

test("the quantization that is taken is listed by its name, too, and runs once", async () => {
  const artifacts = ["Q8_0", "Q4_K_M", "Q2_K"].map((quantization) =>
    hub.add(`m-${quantization}.gguf`, 1000, { quantization }),
  );
  parent.manifests.set(ID, { ...testManifest(artifacts), model: ID, revision: "main" });
  parent.want([ID]);
  for (const model of parent.list?.models ?? []) model.quantizations = ["Q8_0", "q4_k_m", "Q2_K"];
  host.node.start();
  await eventually(async () => (await chat("org/model")).status === 200 || undefined);
  for (const name of [`${ID}:Q4_K_M`, "org/model:Q4_K_M"]) {
    expect((await chat(name)).status).toBe(200);
  }
  expect((await chat(`${ID}:Q8_0`)).status).toBe(404);
  expect(host.engines.launches).toHaveLength(1);
  expect(host.node.names().filter((name) => name.startsWith("hf/"))).toEqual([ID, `${ID}:Q4_K_M`]);
  expect(readdirSync(folder()).sort()).toEqual(["m-Q4_K_M.gguf", "manifest.json"]);
});

test("a chat template that an operator gives, changes and takes back is the engine's", async () => {
  const manifest = parent.manifests.get(ID);
  if (manifest === undefined) throw new Error("there is a manifest");
  const give = async (chat_template: string | undefined) => {
    const { chat_template: _, ...rest } = manifest;
    const given = chat_template === undefined ? {} : { chat_template };
    parent.manifests.set(ID, { ...rest, ...given });
    for (const model of parent.list?.models ?? []) model.template = chatTemplateHash(chat_template);
    await host.post("/api/models/pull", {});
  };
  const templates = () => {
    return host.engines.launches.map(({ args }) => args[args.indexOf("--chat-template") + 1]);
  };
  const used = async (count: number) => {
    await eventually(async () => {
      await chat(ID);
      return host.engines.launches.length === count || undefined;
    });
  };
  parent.want([ID]);
  await give("{{ one }}");
  await pulled();
  await used(1);
  const requests = hub.seen.length;
  await give("{{ two }}");
  await used(2);
  await give(undefined);
  await used(3);
  expect(templates().slice(0, 2)).toEqual(["{{ one }}", "{{ two }}"]);
  expect(host.engines.launches[2]?.args).not.toContain("--chat-template");
  expect(hub.seen).toHaveLength(requests);
});

test("settings keep their models, and web pages start no pulls", async () => {
  await pulled();
  const remove = async (name: string) => {
    const answer = await fetch(`${host.url}/api/models/${name}`, { method: "DELETE" });
    return answer.status;
  };
  expect([await remove(`${ID}:Q8_0`), await remove("chat"), await remove("none")]).toEqual([
    ...[404, 409, 404],
  ]);
  expect(existsSync(join(folder(), FILE))).toBe(true);
  const page = { "content-type": "text/plain" };
  const init = { method: "POST", headers: page, body: '{"model":"org/other"}' };
  expect((await fetch(`${host.url}/api/models/pull`, init)).status).toBe(415);
});

test("one that waits for another node says so", async () => {
  parent.turn = () => ({ go: "wait", holder: "rack1", retry_ms: 100 });
  parent.want([ID]);
  host.node.start();
  const error = await eventually(async () => {
    const told = await refusalOf(await chat(ID));
    return String((told as { message?: unknown }).message).includes("rack1") ? told : undefined;
  });
  expect(error).toMatchObject({ status: 503, code: "model_pulling" });
  parent.turn = () => ({ go: "hub", renew_ms: 5000 });
  await eventually(async () => (await chat(ID)).status === 200 || undefined);
});
