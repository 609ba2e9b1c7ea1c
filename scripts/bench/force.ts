import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bodies } from "./rig/bodies.ts";
import { Heartbeat } from "./rig/heartbeat.ts";
import { pictures } from "./rig/pictures.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { usageOf } from "./rig/process.ts";
import { requireTools, startBalancer, startUpstream } from "./rig/throughput.ts";

/**
 * How long others wait while somebody sends bodies of 20 MB in every shape, or an endpoint answers
 * with as much: the longest answer to `GET /health` for each. Run as `npm run bench force --
 * [PROGRAM] [NAME]`; `PROGRAM` is an executable or a `main.ts`, `NAME` a part of the rows' names.
 */

const ROUNDS = 2;
const MODELS = 100_000;
const LISTED_MS_MAX = 30_000;
const MIB = 2 ** 20;

async function main([program = "", only = ""]: string[]): Promise<void> {
  requireTools("taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const endpoint = await startUpstream("flood.ts");
    started.push(endpoint);
    const balancer = await startBalancer([endpoint.url], folder, commandOf(program));
    started.push(balancer);
    const pulse = new Heartbeat(balancer.url);
    console.log("| sent | answers | took | longest /health | memory |\n|---|---|---|---|---|");
    const row = async (name: string, work: () => Promise<string>) => {
      if (!name.includes(only)) return;
      await pulse.longestMs();
      const startMs = performance.now();
      const answers = await work();
      const tookMs = performance.now() - startMs;
      const longestMs = await pulse.longestMs();
      const memory = (usageOf(balancer.pid).rssBytes / MIB).toFixed(0);
      const times = `${tookMs.toFixed(0)} ms | ${longestMs.toFixed(0)} ms`;
      console.log(`| ${name} | ${answers} | ${times} | ${memory} MiB |`);
    };
    await row("nothing", () => Bun.sleep(1000).then(() => ""));
    for (const { name, path, body } of bodies()) await row(name, () => send(balancer, path, body));
    for (const { name, path, body } of await pictures()) {
      await row(name, () => send(balancer, path, body));
    }
    for (const model of ["line", "events"]) {
      const body = Buffer.from(JSON.stringify({ model, stream: true, ...TALK }));
      for (const path of ["/v1/chat/completions", "/v1/messages"]) {
        await row(`an answer of ${model}, ${path}`, () => send(balancer, path, body));
      }
    }
    for (const model of ["text", "integers"]) {
      const body = Buffer.from(JSON.stringify({ model, ...TALK }));
      for (const path of ["/v1/chat/completions", "/v1/messages", "/api/chat"]) {
        await row(`an answer of ${model}, ${path}`, () => send(balancer, path, body));
      }
    }
    await row(`${MODELS} models`, () => manyModels(balancer, started));
    await pulse.stop();
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const TALK = { max_tokens: 9, messages: [{ role: "user", content: "hi" }] };

function commandOf(program: string): string[] | undefined {
  if (program === "") return undefined;
  const path = resolve(program);
  return path.endsWith(".ts") ? [process.execPath, path] : [path];
}

/** Sends a body some times at once; returns the statuses. */
async function send({ url }: PinnedProcess, path: string, body: Buffer): Promise<string> {
  const headers = { "content-type": "application/json" };
  const one = async () => {
    const response = await fetch(url + path, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
    });
    for await (const _ of response.body ?? []);
    return response.status;
  };
  return (await Promise.all(Array.from({ length: ROUNDS }, one))).join(" ");
}

/** Adds an endpoint with many models, checks it, syncs it, and lists all. */
async function manyModels({ url }: PinnedProcess, started: PinnedProcess[]): Promise<string> {
  const endpoint = await startUpstream("flood.ts", String(MODELS));
  started.push(endpoint);
  const body = JSON.stringify({ name: "many", base_url: endpoint.url });
  const headers = { "content-type": "application/json" };
  const added = await fetch(`${url}/api/endpoints`, { method: "POST", headers, body });
  if (!added.ok) throw new Error(`Adding an endpoint failed: ${await added.text()}`);
  const { id } = await added.json();
  const count = async (path: string) => {
    const { data, models = data } = await (await fetch(url + path)).json();
    return models.length;
  };
  const deadlineMs = performance.now() + LISTED_MS_MAX;
  while ((await count("/v1/models")) < 100) {
    if (performance.now() > deadlineMs) return "not listed";
    await Bun.sleep(100);
  }
  const own = `${url}/api/endpoints/${id}`;
  for (const work of ["test", "sync", "sync"]) {
    await (await fetch(`${own}/${work}`, { method: "POST" })).json();
  }
  for (const path of [own, `${own}/models`]) await (await fetch(path)).json();
  return `${await count("/v1/models")} ${await count("/api/tags")}`;
}

await main(process.argv.slice(2));
