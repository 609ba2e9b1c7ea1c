import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import type { Program } from "../src/testkit/program.ts";
import { tooManyRequests } from "../src/testkit/servers/hub/fault.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { safetensorsRepo, someBytes, tinyRepo } from "../src/testkit/servers/hub/samples.ts";
import { stage } from "../src/testkit/stage.ts";
import type { ModelProgress, NodeModelList } from "../src/wire/sync.ts";

setDefaultTimeout(90_000);

const REPO = "llmlb/tiny-GGUF";
const ID = `hf/${REPO}`;
const FILE = "llmlb-tiny-Q8_0.gguf";
const FIXTURE = join(import.meta.dir, "../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
const SIZE = statSync(FIXTURE).size;

const { start, newHome } = stage();
let hub: Hub | undefined;

async function newHub(): Promise<Hub> {
  hub = await startHub();
  await hub.add(tinyRepo(REPO, FILE));
  return hub;
}

afterEach(async () => {
  await hub?.[Symbol.asyncDispose]();
  hub = undefined;
});

function balancer({ url }: Hub, home: string): Promise<Program> {
  const env = { HF_ENDPOINT: url };
  return start({ mode: "balancer", home, untilReady: false, env });
}

interface Joining {
  hub: Hub;
  front: Program;
  home?: string;
  name?: string;
  /** Default: it has been enrolled before. */
  token?: string;
  /** Default: true. */
  untilReady?: boolean;
}

function node(joining: Joining): Promise<Program> {
  const { hub, front, home = newHome(), name, token, untilReady = true } = joining;
  const named = name === undefined ? [] : ["--name", name];
  const enrolling = token === undefined ? [] : ["--token", token];
  const args = ["--join", front.url, ...enrolling, ...named];
  return start({ mode: "node", home, args, env: { HF_ENDPOINT: hub.url }, untilReady });
}

async function tokenOf(home: string, uses: number): Promise<string> {
  const made = await runProgram(["endpoint", "token", "--uses", String(uses)], { home });
  return made.stdout.trim();
}

function register(front: Program, body: object): Promise<Response> {
  return post(`${front.url}/api/models/register`, body);
}

function chat({ url }: { url: string }, model = REPO): Promise<Response> {
  const body = { model, messages: says("Hello"), temperature: 0, max_tokens: 4 };
  return post(`${url}/v1/chat/completions`, body);
}

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, retry: response.headers.get("retry-after"), ...error };
}

async function progressOf({ url }: Program, id = ID): Promise<ModelProgress> {
  return (await (await fetch(`${url}/api/models/${id}/progress`)).json()) as ModelProgress;
}

async function modelsOf({ url }: { url: string }): Promise<NodeModelList> {
  return (await (await fetch(`${url}/api/models`)).json()) as NodeModelList;
}

async function listed({ url }: Program, id = ID) {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as {
    data: { id: string; ready: boolean; lifecycle_status: string; download_progress: object }[];
  };
  return data.find((model) => model.id === id);
}

function untilServed(front: Program, nodes: number) {
  return eventually(async () => {
    const { nodes: known } = await progressOf(front);
    const all = known.filter(({ state }) => state === "ready").length === nodes;
    return (all && (await listed(front))?.ready) || undefined;
  }, 40_000);
}

const folderOf = (home: string) => join(home, "models", "hf", "llmlb", "tiny-gguf");

test("a model that is registered by URL comes to both nodes, serves, and goes", async () => {
  const hub = await newHub();
  const home = newHome();
  const front = await balancer(hub, home);
  const token = await tokenOf(home, 2);
  const firstHome = newHome();
  const mine = join(firstHome, "models", "my-own");
  mkdirSync(mine, { recursive: true });
  copyFileSync(FIXTURE, join(mine, "model.gguf"));
  const first = await node({ hub, front, token, name: "one", home: firstHome });
  const second = await node({ hub, front, token, name: "two" });

  const url = `${hub.url}/${REPO}/resolve/main/${FILE}?download=true`;
  expect((await register(front, { repo: url })).status).toBe(201);
  const id = `${ID}/${FILE}`;
  await eventually(async () => {
    const { nodes } = await progressOf(front, id);
    return nodes.filter(({ state }) => state === "ready").length === 2 || undefined;
  }, 40_000);
  const entry = await eventually(async () => {
    const found = await listed(front, id);
    return found?.ready === true ? found : undefined;
  });
  expect(entry).toMatchObject({ lifecycle_status: "registered", download_progress: null });
  for (const name of [id, `${REPO}/${FILE}`, `${REPO}:Q8_0`, `${REPO}:q8_0`]) {
    expect((await chat(front, name)).status).toBe(200);
  }
  expect((await chat(second, id)).status).toBe(200);
  expect((await chat(first, "my-own")).status).toBe(200);

  // A person puts a file beside what sync placed.
  const folder = join(second.home, "models/hf/llmlb/tiny-gguf/llmlb-tiny-q8_0");
  copyFileSync(FIXTURE, join(folder, "notes.gguf"));
  const gone = await fetch(`${front.url}/api/models/${id}`, { method: "DELETE" });
  expect(gone.status).toBe(204);
  await eventually(() => !existsSync(join(folder, FILE)) || undefined);
  await eventually(() => !existsSync(join(first.home, "models/hf")) || undefined);
  expect(readdirSync(folder).filter((name) => name.endsWith(".gguf"))).toEqual(["notes.gguf"]);
  expect(readdirSync(mine)).toContain("model.gguf");
  expect((await chat(first, "my-own")).status).toBe(200);
  expect((await chat(first, id)).status).toBe(404);
  // What the person put there is a model by itself, once it is found.
  await eventually(async () => (await chat(second, id)).status === 200 || undefined);
  for (const program of [first, second, front]) await program.stop();
});

test("a node that is killed in mid-pull goes on where it was, and serves", async () => {
  const hub = await newHub();
  hub.bytesPerSecond = SIZE / 4;
  const home = newHome();
  const front = await balancer(hub, home);
  const nodeHome = newHome();
  const token = await tokenOf(home, 1);
  const first = await node({ hub, front, token, home: nodeHome });
  await register(front, { repo: REPO });
  const partial = await eventually(async () => {
    const { nodes } = await progressOf(front);
    const bytes = nodes[0]?.progress?.bytes ?? 0;
    // What has come is noted every second, which is a quarter of it.
    return bytes > SIZE / 2 ? bytes : undefined;
  }, 40_000);
  expect(partial).toBeLessThan(SIZE);

  // While it comes, both say so.
  expect(await errorOf(await chat(front))).toMatchObject({
    ...{ status: 503, code: "model_loading", retry: expect.stringMatching(/^\d+$/) },
    message: expect.stringMatching(/being fetched by nodes: \d+ %/),
  });
  expect(await errorOf(await chat(first))).toMatchObject({
    ...{ status: 503, code: "model_pulling", retry: expect.stringMatching(/^\d+$/) },
  });
  expect(await listed(front)).toMatchObject({
    ...{ ready: false, lifecycle_status: "caching" },
    download_progress: { bytes_total: SIZE, error: null },
  });

  await first.kill();
  expect(existsSync(join(folderOf(nodeHome), FILE))).toBe(false);
  const before = hub.served(REPO, FILE);
  hub.bytesPerSecond = 0;
  const again = await node({ hub, front, home: nodeHome });
  await untilServed(front, 1);
  // Its header was read once more to choose; the rest is what was missing.
  expect(hub.served(REPO, FILE) - before).toBeLessThan(SIZE);
  expect((await chat(front)).status).toBe(200);
  await again.stop();
  await front.stop();
});

test("what a node cannot get is that model's state, with what to do", async () => {
  const hub = await newHub();
  await hub.add({ ...tinyRepo("acme/gated-GGUF"), gated: "manual" });
  await hub.add(safetensorsRepo("acme/plain"));
  const home = newHome();
  const front = await balancer(hub, home);
  const worker = await node({ hub, front, token: await tokenOf(home, 1) });
  for (const repo of ["acme/gated-GGUF", "acme/plain"]) {
    expect((await register(front, { repo })).status).toBe(201);
  }
  const failed = async (id: string) => {
    const { state, nodes } = await progressOf(front, id);
    return state === "error" ? nodes[0]?.error : undefined;
  };
  const gated = await eventually(() => failed("hf/acme/gated-GGUF"), 30_000);
  expect(gated).toMatchObject({
    code: "pull_unauthorized",
    message: expect.stringContaining("HF_TOKEN"),
  });
  const plain = await eventually(() => failed("hf/acme/plain"), 30_000);
  expect(plain).toMatchObject({ message: expect.stringContaining("llama.cpp runs GGUF files") });
  expect(await listed(front, "hf/acme/plain")).toMatchObject({
    ...{ ready: false, lifecycle_status: "error" },
  });
  expect(await errorOf(await chat(front, "acme/gated-GGUF"))).toMatchObject({
    ...{ status: 503, code: "model_unavailable" },
    message: expect.stringContaining("gated"),
  });
  expect((await chat(front, "llmlb-tiny")).status).toBe(200);
  await worker.stop();
  await front.stop();
});

test("a hub that is out or busy for a while only makes it take longer", async () => {
  const hub = await newHub();
  hub.fail({ on: "resolve", mishap: tooManyRequests(1), times: 1 });
  hub.fail({ on: "cdn", mishap: { status: 503 }, times: 2 });
  hub.fail({ on: "cdn", mishap: { cutAfter: 500_000 }, times: 2 });
  const front = await start({ env: { HF_ENDPOINT: hub.url } });
  expect((await register(front, { repo: REPO })).status).toBe(201);
  await untilServed(front, 1);
  expect((await chat(front)).status).toBe(200);
  await front.stop();
});

test("a standalone llmlb pulls what is registered; its node pulls what it is told", async () => {
  const hub = await newHub();
  await hub.add(tinyRepo("acme/other-GGUF", "other-Q8_0.gguf"));
  const front = await start({ env: { HF_ENDPOINT: hub.url } });
  expect((await register(front, { repo: REPO, aliases: ["little"] })).status).toBe(201);
  await untilServed(front, 1);
  expect((await chat(front, "little")).status).toBe(200);

  const local = { url: front.nodeUrl };
  const headers = { accept: "application/x-ndjson" };
  const asked = await post(
    `${local.url}/api/models/pull`,
    { model: "acme/other-GGUF" },
    { headers },
  );
  const lines = (await asked.text()).trim().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "") as { state: string; bytes: number };
  expect(last).toMatchObject({ state: "done", bytes: SIZE, model: "hf/acme/other-GGUF" });
  expect((await chat(local, "acme/other-GGUF:Q8_0")).status).toBe(200);
  await eventually(async () => (await chat(front, "hf/acme/other-GGUF")).ok || undefined);

  const started = await post(`${local.url}/v0/models/pull`, { name: "acme/other-GGUF" });
  const { progress_url } = (await started.json()) as { progress_url: string };
  expect([started.status, started.headers.get("location")]).toEqual([202, progress_url]);
  await eventually(async () => {
    const view = await (await fetch(local.url + progress_url)).json();
    return (view as { progress: { state: string } }).progress.state === "done" || undefined;
  });
  const all = await fetch(`${local.url}/api/models/pull`, { method: "POST" });
  expect([all.status, await all.json()]).toMatchObject([202, { status: "syncing", id: null }]);

  expect(await errorOf(await post(`${local.url}/api/models/pull`, { model: "x" }))).toMatchObject({
    status: 400,
  });
  const missing = await post(`${local.url}/api/models/pull`, { model: "acme/none" });
  expect(missing.status).toBe(404);

  // Sync leaves alone what a person asked for; a person may remove it.
  await fetch(`${front.url}/api/models/${ID}`, { method: "DELETE" });
  await eventually(async () => {
    const { data } = await modelsOf(local);
    return data.every(({ id }) => id !== ID) || undefined;
  });
  const { data, sync } = await modelsOf(local);
  expect(data.map(({ id, placed_by }) => [id, placed_by])).toEqual([
    ["hf/acme/other-GGUF", "user"],
    ["llmlb-tiny", "settings"],
  ]);
  expect(sync).toMatchObject({ state: "in_sync", error: null });
  const removal = () => fetch(`${local.url}/api/models/hf/acme/other-GGUF`, { method: "DELETE" });
  expect([(await removal()).status, (await removal()).status]).toEqual([204, 404]);
  expect((await chat(local, "acme/other-GGUF")).status).toBe(404);
  await front.stop();
});

test("a node serves what lies in its models folder, also while its balancer is away", async () => {
  const hub = await newHub();
  const home = newHome();
  const front = await balancer(hub, home);
  const nodeHome = newHome();
  const first = await node({ hub, front, home: nodeHome, token: await tokenOf(home, 1) });
  await register(front, { repo: REPO });
  await untilServed(front, 1);
  await first.stop();
  await front.stop();

  // It is not ready, since it cannot join, and serves all the same.
  const again = await node({ hub, front, home: nodeHome, untilReady: false });
  expect((await chat(again)).status).toBe(200);
  expect((await fetch(`${again.url}/startup`)).status).toBe(200);
  const own = join(nodeHome, "models", "by-hand");
  mkdirSync(own);
  copyFileSync(FIXTURE, join(own, "weights.gguf"));
  const { data, sync } = await modelsOf(again);
  expect(data.map(({ id, state }) => [id, state])).toEqual([
    ["by-hand", "ready"],
    [ID, "ready"],
    ["llmlb-tiny", "ready"],
  ]);
  expect(sync.state).toBe("balancer_away");
  expect((await chat(again, "by-hand")).status).toBe(200);
  rmSync(own, { recursive: true });
  await modelsOf(again);
  expect((await chat(again, "by-hand")).status).toBe(404);
  await again.stop();
});

test("a node hears of nobody without its credential what to have, nor tells others", async () => {
  const hub = await newHub();
  await hub.add({ name: "acme/x-GGUF", files: { "x-Q8_0.gguf": someBytes(1000) } });
  const home = newHome();
  const front = await balancer(hub, home);
  const base = `${front.url}/api/nodes/${crypto.randomUUID()}/models`;
  const headers = { authorization: "Bearer node_none" };
  const bodies = { turn: { model: "m", revision: "r", files: ["f"] }, report: { models: [] } };
  for (const path of ["", "/manifest?model=m"]) {
    expect((await fetch(base + path, { headers })).status).toBe(401);
  }
  for (const [path, body] of Object.entries(bodies)) {
    expect((await post(`${base}/${path}`, body, { headers })).status).toBe(401);
  }
  const local = await fetch(`${front.url}/api/nodes/local/models`, { headers });
  expect(local.status).toBe(401);
  await front.stop();
});

test("a chat template that is given is the engine's, until it is taken back", async () => {
  const { url } = await newHub();
  const front = await start({ env: { HF_ENDPOINT: url } });
  await register(front, { repo: REPO, chat_template: "Ask: {{ messages[0].content }}" });
  const prompt = async () => {
    const body = { model: REPO, messages: says("Hello") };
    const answer = await post(`${front.nodeUrl}/apply-template`, body);
    return answer.ok ? ((await answer.json()) as { prompt: string }).prompt : undefined;
  };
  expect(await eventually(prompt)).toBe("Ask: Hello");
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ chat_template: null });
  await fetch(`${front.url}/api/models/${ID}`, { method: "PATCH", headers, body });
  const own = async () => {
    const text = await prompt();
    return text?.startsWith("Ask") === false ? text : undefined;
  };
  expect(await eventually(own)).toContain("<|im_start|>user\nHello");
});
