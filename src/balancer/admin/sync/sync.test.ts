import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { isTicket } from "../../../auth/ticket.ts";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import { eventually } from "../../../testkit/eventually.ts";
import { type Hub, startHub } from "../../../testkit/servers/hub/hub.ts";
import { tinyRepo } from "../../../testkit/servers/hub/samples.ts";
import { FakeNode } from "../../../testkit/servers/node.ts";
import { EndpointList } from "../../../wire/endpoint.ts";
import { Manifest } from "../../../wire/manifest.ts";
import {
  AssignedModelList,
  DownloadLeaseAnswer,
  ModelProgress,
  type NodeModelReport,
  TOO_LARGE,
} from "../../../wire/sync.ts";

const ID = "hf/llmlb/tiny-GGUF";
const FILE = "llmlb-tiny-Q8_0.gguf";

let hub: Hub;
let front: FakeBalancer;
const nodes: FakeNode[] = [];

beforeAll(async () => {
  hub = await startHub();
  await hub.add(tinyRepo());
});
afterAll(() => hub[Symbol.asyncDispose]());
beforeEach(async () => {
  front = await fakeBalancer({}, { hubUrl: hub.url });
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
});

async function join(name: string, system?: object): Promise<FakeNode> {
  const node = await FakeNode.join(front, name, system);
  nodes.push(node);
  return node;
}

async function register(more: object = {}): Promise<string> {
  const answer = await front.post("/api/models/register", { repo: "llmlb/tiny-GGUF", ...more });
  return ((await answer.json()) as { revision: string }).revision;
}

async function progress(): Promise<ModelProgress> {
  return ModelProgress.parse(await (await fetch(`${front.url}/api/models/${ID}/progress`)).json());
}

const PROGRESS: NonNullable<NodeModelReport["progress"]> = {
  ...{ model: ID, state: "downloading", file: FILE, bytes: 250, total_bytes: 1000 },
  ...{ rate_bytes_per_s: 50, eta_s: 15, error: null },
};

async function chat() {
  const messages = [{ role: "user", content: "Hello" }];
  const answer = await front.post("/v1/chat/completions", { model: ID, messages });
  const { error } = (await answer.json()) as { error?: object };
  return { status: answer.status, retry: answer.headers.get("retry-after"), ...error };
}

test("a node hears what it shall have, and by its tag that it is unchanged", async () => {
  const node = await join("one");
  const revision = await register({ aliases: ["tiny"] });
  const answer = await node.ask("");
  const { models, complete } = AssignedModelList.parse(await answer.json());
  expect(complete).toBe(true);
  expect(models).toMatchObject([{ id: ID, revision, quantizations: [] }]);
  expect(models[0]?.names).toEqual(expect.arrayContaining(["tiny", "llmlb/tiny-GGUF"]));
  const etag = answer.headers.get("etag") ?? "";
  const again = await node.ask("", undefined, { "if-none-match": etag });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  await fetch(`${front.url}/api/models/${ID}`, { method: "DELETE" });
  const after = await node.ask("", undefined, { "if-none-match": etag });
  expect(await after.json()).toEqual({ models: [], complete: true });
});

test("a model for other nodes is on no other's list", async () => {
  const [one, two] = [await join("one"), await join("two")];
  await register({ nodes: ["two"] });
  expect(await (await one.ask("")).json()).toEqual({ models: [], complete: true });
  expect(await (await two.ask("")).json()).toMatchObject({ models: [{ id: ID }] });
});

test("nodes are notified of changes until each has accepted it", async () => {
  const [one, two] = [await join("one"), await join("two")];
  two.refusals = 1;
  await register();
  await eventually(() => (one.told === 1 && two.told === 2) || undefined);
  await fetch(`${front.url}/api/models/${ID}`, { method: "DELETE" });
  await eventually(() => (one.told === 2 && two.told === 3) || undefined);
});

test("one node fetches, the other waits, then gets a ticket for its files", async () => {
  const [one, two] = [await join("one"), await join("two")];
  const revision = await register();
  const body = { model: ID, revision, files: [FILE] };
  const turnOf = async (node: FakeNode) =>
    DownloadLeaseAnswer.parse(await (await node.ask("/turn", body)).json());
  expect((await turnOf(one)).go).toBe("hub");
  expect(await turnOf(two)).toMatchObject({ go: "wait", holder: "one" });
  await one.report({ id: ID, state: "pulling", progress: PROGRESS });
  expect(await turnOf(two)).toMatchObject({ go: "wait", holder: "one" });

  await one.report({ id: ID, state: "ready", revision, files: [FILE] });
  const turn = await turnOf(two);
  const peer = turn.go === "peers" ? turn.peers[0] : undefined;
  expect(peer).toMatchObject({ url: one.url, files: [FILE] });
  expect(isTicket(peer?.token ?? "", { kind: "files", subject: ID }, one.key)).toBe(true);
  const manifest = Manifest.parse(await (await two.ask(`/manifest?model=${ID}`)).json());
  expect(manifest.peers.map(({ url }) => url)).toEqual([one.url]);
  const open = await fetch(`${front.url}/api/models/registry/${ID}/manifest.json`);
  expect(Manifest.parse(await open.json()).peers).toEqual([]);
  // What it has of another revision is of no use.
  await one.report({ id: ID, state: "ready", revision: "other", files: [FILE] });
  expect((await turnOf(two)).go).toBe("hub");
});

test("a node that failed, or is offline, keeps nobody waiting", async () => {
  const [one, two] = [await join("one"), await join("two")];
  const revision = await register();
  const body = { model: ID, revision, files: [FILE] };
  const goes = async (node: FakeNode) => {
    return DownloadLeaseAnswer.parse(await (await node.ask("/turn", body)).json()).go;
  };
  expect([await goes(one), await goes(two)]).toEqual(["hub", "wait"]);
  const error = { code: "pull_unauthorized", message: "no" };
  await one.report({ id: ID, state: "failed", error });
  expect([await goes(two), await goes(one)]).toEqual(["hub", "wait"]);
  const leave = (await two.ask("/../leave", {})).status;
  expect([leave, await goes(one)]).toEqual([204, "hub"]);
});

test("requests, lists and progress say how far the nodes are", async () => {
  const node = await join("one");
  await register();
  expect(await chat()).toMatchObject({ status: 503, code: "no_endpoint", retry: "10" });
  expect(await progress()).toMatchObject({ state: "registered", percent: 0, nodes: [] });
  const listed = async () => (await fetch(`${front.url}/v1/models/${ID}`)).json();
  expect(await listed()).toMatchObject({ lifecycle_status: "registered", ready: false });

  await node.report({ id: ID, state: "pulling", progress: PROGRESS });
  expect(await chat()).toMatchObject({ status: 503, code: "model_loading", retry: "15" });
  expect(await progress()).toMatchObject({
    ...{ state: "caching", bytes_downloaded: 250, bytes_total: 1000, percent: 25 },
    nodes: [{ node: "one", state: "pulling", progress: { eta_s: 15 } }],
  });
  expect(await listed()).toMatchObject({
    ...{ lifecycle_status: "caching", download_progress: { percent: 25, error: null } },
  });

  const error = { code: "pull_disk_full", message: "The disk is full." };
  await node.report({ id: ID, state: "failed", error });
  expect(await chat()).toMatchObject({ status: 503, code: "model_unavailable" });
  expect(await listed()).toMatchObject({
    ...{ lifecycle_status: "error", download_progress: { error: "The disk is full." } },
  });
});

test("a model that is too large for its nodes would fit with those that lend", async () => {
  const node = await join("one");
  const device = { name: "CUDA0", description: "", type: "gpu", total_memory_bytes: 2 ** 34 };
  const system = {
    ...{ llmlb_version: "1", devices: [{ ...device, free_memory_bytes: 2 ** 33 }] },
    lending: { loans: [], loans_max: 16 },
  };
  for (const name of ["w1", "w2"]) await join(name, system);
  await eventually(async () => {
    const answer = await fetch(`${front.url}/api/endpoints`);
    const { endpoints } = EndpointList.parse(await answer.json());
    return endpoints.filter(({ lending }) => lending !== undefined).length === 2 || undefined;
  });
  await register();
  const error = { code: TOO_LARGE, message: "It takes 2 TiB of memory." };
  await node.report({ id: ID, state: "unusable", error });
  expect((await progress()).proposed_workers).toEqual(["w1"]);

  await fetch(`${front.url}/api/models/${ID}`, {
    ...{ method: "PATCH", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ settings: { workers: ["w1"] } }),
  });
  expect((await progress()).proposed_workers).toBeUndefined();
});

test("a node that says that it serves a model gets requests for it at once", async () => {
  const node = await join("one");
  await register();
  node.serves = [ID];
  await node.report({ id: ID, state: "ready" });
  await eventually(async () => (await progress()).state === "ready" || undefined);
  const list = (await (await fetch(`${front.url}/v1/models`)).json()) as { data: object[] };
  expect(list.data).toMatchObject([{ id: ID, ready: true, endpoint_ids: ["one"] }]);
});

test("what is not registered has no progress and no turn", async () => {
  const node = await join("one");
  expect((await fetch(`${front.url}/api/models/hf/a/b/progress`)).status).toBe(404);
  const body = { model: "hf/a/b", revision: "r", files: ["f"] };
  expect((await node.ask("/turn", body)).status).toBe(404);
  expect((await node.ask("/turn", { ...body, files: [] })).status).toBe(400);
  expect((await node.ask("/manifest?model=hf/a/b")).status).toBe(404);
});
