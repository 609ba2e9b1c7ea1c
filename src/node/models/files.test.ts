import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { signTicket } from "../../auth/ticket.ts";
import { createApp } from "../../http/server/app.ts";
import { Drain } from "../../http/server/drain.ts";
import { createLogger } from "../../lib/log.ts";
import { ModelStore } from "../../storage/modelstore.ts";
import { PullBench } from "../../testkit/pullbench.ts";
import { testManifest } from "../../testkit/servers/files.ts";
import type { Artifact } from "../../wire/manifest.ts";
import { keyCheck } from "../auth.ts";
import { addFileRoutes } from "./files.ts";

const KEY = "node-key";
const SIZE = 1_000_000;
let bench: PullBench;
let artifact: Artifact;
let server: Bun.Server<undefined>;

beforeAll(async () => {
  bench = await PullBench.start();
  artifact = bench.hub.add("model-Q4_0.gguf", SIZE);
  await bench.pull([artifact]);
  bench.models.write({ "hf/org/model/mine.gguf": "x" });
  const log = createLogger({ level: "silent" });
  const app = createApp({ log, drain: new Drain(), authorise: keyCheck(KEY) });
  addFileRoutes(app, new ModelStore(bench.models.path));
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
});

afterAll(async () => {
  await server.stop(true);
  await bench[Symbol.asyncDispose]();
});

function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
  const all = { authorization: `Bearer ${KEY}`, ...headers };
  return fetch(new URL(path, server.url), { method, headers: all });
}

const FILE = "/api/models/files/hf%2FOrg%2FModel/model-Q4_0.gguf";

test("a verified file is sent whole, with its hash as its tag", async () => {
  const answer = await ask(FILE);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("etag")).toBe(`"${artifact.sha256}"`);
  expect(answer.headers.get("content-length")).toBe(String(SIZE));
  expect(Bun.hash(await answer.arrayBuffer())).toBe(Bun.hash(whole()));
  const head = await ask(FILE.replace("/api/", "/v0/"), {}, "HEAD");
  expect([head.status, head.headers.get("content-length")]).toEqual([200, String(SIZE)]);
});

test("a ticket opens the files of its model, and nothing else", async () => {
  const expiresAt = Date.now() + 60_000;
  const ticketFor = (model: string, key = KEY) => ({
    authorization: `Bearer ${signTicket({ kind: "files", subject: model, expiresAt }, key)}`,
  });
  expect((await ask(FILE, ticketFor("hf/Org/Model"), "HEAD")).status).toBe(200);
  expect((await ask(FILE, ticketFor("hf/Org/Other"), "HEAD")).status).toBe(401);
  expect((await ask(FILE, ticketFor("hf/Org/Model", "other key"), "HEAD")).status).toBe(401);
  expect((await ask("/v1/models", ticketFor("hf/Org/Model"))).status).toBe(401);
  expect((await ask("/api/models/files/x", ticketFor("files"))).status).toBe(401);
});

function whole(): Buffer {
  return bench.hub.files.get("/model-Q4_0.gguf") ?? Buffer.alloc(0);
}

describe("a range", () => {
  test.each([
    ["bytes=0-9", 0, 10],
    ["bytes=500000-", 500_000, SIZE],
    ["bytes=-5", SIZE - 5, SIZE],
    ["bytes=999990-2000000", 999_990, SIZE],
  ])("%s is sent alone", async (range, start, end) => {
    const answer = await ask(FILE, { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${SIZE}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.equals(whole().subarray(start, end))).toBe(true);
  });

  test("beyond the end is refused; ones that are none are passed over", async () => {
    const answer = await ask(FILE, { range: `bytes=${SIZE}-` });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, `bytes */${SIZE}`]);
    for (const range of ["bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,4-5"]) {
      expect((await ask(FILE, { range })).status).toBe(200);
    }
  });

  test("of another version is all of the file, and none if it is known", async () => {
    const other = await ask(FILE, { range: "bytes=0-9", "if-range": '"other"' });
    expect(other.status).toBe(200);
    const same = await ask(FILE, { range: "bytes=0-9", "if-range": `"${artifact.sha256}"` });
    expect(same.status).toBe(206);
    expect((await ask(FILE, { "if-none-match": `"${artifact.sha256}"` })).status).toBe(304);
  });
});

test("what was not verified, is not there or lies elsewhere is not sent", async () => {
  for (const file of [
    "mine.gguf",
    "absent.gguf",
    "manifest.json",
    "..%2Fmodel%2Fmodel-Q4_0.gguf",
  ]) {
    expect((await ask(`/api/models/files/hf%2FOrg%2FModel/${file}`)).status).toBe(404);
  }
  expect((await ask("/api/models/files/other/model-Q4_0.gguf")).status).toBe(404);
  expect((await ask("/api/models/files/..%2F..%2Fetc/passwd")).status).toBe(400);
  expect((await ask(FILE, { authorization: "Bearer wrong" })).status).toBe(401);
});

test("another node pulls from it, and the hub is not asked", async () => {
  await using other = await PullBench.start();
  const puller = other.puller({ origins: [`${bench.hub.url}/*`] });
  const peers = [{ url: server.url.origin, token: KEY }];
  const before = bench.hub.servedBytes;
  const request = { files: [artifact], quantization: null, placedBy: "sync" as const };
  const { signal } = new AbortController();
  await puller.pull({ ...request, manifest: testManifest([artifact], { peers }), signal }).result;
  expect(other.isWhole(artifact)).toBe(true);
  expect(bench.hub.servedBytes).toBe(before);
});

test.each([
  ...[
    "T%20-Q4_K_M.gguf",
    "my model#1?.gguf".replace("?", ""),
    "Größe 模型🦙.gguf",
    "T'(1)+[T].gguf",
  ],
  `${"模".repeat(83)}.gguf`,
])("a file with any name is sent, with a ticket, too: %s", async (name) => {
  const model = `hf/Org/Any/${name}`;
  const url = `${bench.hub.url}/${encodeURIComponent(name)}`;
  const file = bench.hub.add(name, 1000, { url });
  await bench.pull([file], { manifest: { model } });
  const path = `/api/models/files/${[model, name].map(encodeURIComponent).join("/")}`;
  const ticket = signTicket({ kind: "files", subject: model, expiresAt: Date.now() + 60_000 }, KEY);
  for (const headers of [{}, { authorization: `Bearer ${ticket}` }]) {
    const answer = await ask(path, headers, "HEAD");
    expect([answer.status, answer.headers.get("etag")]).toEqual([200, `"${file.sha256}"`]);
  }
});
