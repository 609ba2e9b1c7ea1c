import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crowdHost } from "./rig/crowd.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { usageOf } from "./rig/process.ts";
import {
  load,
  printThroughput,
  requireTools,
  startBalancer,
  startUpstream,
  type Target,
  throughput,
} from "./rig/throughput.ts";

/**
 * Whether a request costs more with many endpoints or models, two endpoints serving the model asked
 * for; then the balancer's memory over many requests. Run as `npm run bench scale`; takes some
 * minutes, less with `--requests 300000` (0 leaves memory out).
 */

const SIZES = [
  { endpoints: 2, models: 10 },
  { endpoints: 500, models: 10 },
  { endpoints: 2, models: 10_000 },
  { endpoints: 500, models: 10_000 },
];
const REQUESTS_DEFAULT = 1_000_000;
const SAMPLE_REQUESTS = 100_000;
const ONLINE_MS_MAX = 60_000;
const MIB = 2 ** 20;

async function main(): Promise<void> {
  const options = { requests: { type: "string", default: String(REQUESTS_DEFAULT) } } as const;
  const requests = Number(parseArgs({ options }).values.requests);
  if (!(requests >= 0)) throw new Error("--requests: must be a number");
  requireTools("wrk", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const before = loadavg()[0] ?? 0;
    const targets: Target[] = [];
    for (const size of SIZES) targets.push(await start(size, folder, started));
    printThroughput(await throughput(targets, folder));
    for (const server of started.splice(0).reverse()) await server.stop();
    if (requests > 0) {
      const target = await start({ endpoints: 2, models: 10 }, folder, started);
      await memory(target, requests, folder);
    }
    console.log(`\nLoad average before: ${before.toFixed(2)}`);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the balancer's resident memory at the start and after every so many requests. */
async function memory(target: Target, requests: number, folder: string): Promise<void> {
  console.log("\n| requests | resident memory |\n|---|---|");
  let sent = 0;
  for (let next = 0; ; ) {
    if (sent >= next) {
      const { rssBytes } = usageOf(target.server.pid);
      console.log(`| ${sent} | ${(rssBytes / MIB).toFixed(0)} MiB |`);
      next += SAMPLE_REQUESTS;
    }
    if (sent >= requests) return;
    sent += (await load(target, 1, folder)).requests;
  }
}

type Size = (typeof SIZES)[number];

/** Starts a crowd and a balancer before it; all endpoints are online when this returns. */
async function start(size: Size, folder: string, started: PinnedProcess[]): Promise<Target> {
  const { endpoints, models } = size;
  const crowd = await startUpstream("crowd.ts", String(endpoints), String(models));
  started.push(crowd);
  const { port } = new URL(crowd.url);
  const urls = Array.from({ length: endpoints }, (_, i) => `http://${crowdHost(i)}:${port}`);
  const server = await startBalancer(urls, folder);
  started.push(server);
  const name = `${endpoints} endpoints, ${models} models`;
  const deadlineMs = performance.now() + ONLINE_MS_MAX;
  while (!(await complete(server.url, size))) {
    if (performance.now() > deadlineMs) throw new Error(`${name}: not all came online`);
    await Bun.sleep(200);
  }
  return { name, server };
}

/** Whether all endpoints are online and all models are listed. */
async function complete(url: string, { endpoints, models }: Size): Promise<boolean> {
  const list = async (path: string) => (await fetch(url + path)).json();
  const ready = (await list("/ready")) as { endpoints: { status: string }[] };
  const online = ready.endpoints.filter(({ status }) => status === "online").length;
  const listed = (await list("/v1/models")) as { data: unknown[] };
  return online === endpoints && listed.data.length === models;
}

await main();
