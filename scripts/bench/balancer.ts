import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./rig/load.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { type Proxies, startProxies } from "./rig/proxies.ts";
import { sseRound } from "./rig/sse.ts";
import { LOAD_CORE, requireTools } from "./rig/throughput.ts";
import { STREAM_EVENTS } from "./rig/upstream.ts";
import { wrk } from "./rig/wrk.ts";

/**
 * What the balancer costs, beside nginx in front of the same trivial upstream: requests per second
 * on one core, added latency, delay of streamed events, and whether 512 concurrent streams arrive
 * whole. Run as `npm run bench balancer`; takes about a minute. The proxy has one core for itself,
 * load and upstream share another; runs alternate, medians are shown.
 */

const ROUNDS = 5;
const STREAMS = 32;
const STREAMS_MANY = 512;
/** A JavaScript program is as fast as it gets after some seconds. */
const WARM_UP_S = 6;

async function main(): Promise<void> {
  requireTools("nginx", "wrk", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const targets = await startProxies(folder, started);
    const rows = [
      ...(await throughput(targets, folder)),
      ...(await latency(targets, folder)),
      ...(await streaming(targets)),
    ];
    console.log("| measure | direct | nginx | llmlb | llmlb / nginx |\n|---|---|---|---|---|");
    for (const row of rows) console.log(`| ${row.join(" | ")} |`);
    const { damaged, delaysMs } = await sseRound(targets.llmlb.url, STREAMS_MANY);
    console.log(
      `\n${STREAMS_MANY} concurrent streams of ${STREAM_EVENTS} events: ` +
        `${damaged} damaged, ${delaysMs.length} events in order`,
    );
    if (damaged > 0) process.exitCode = 1;
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function throughput({ nginx, llmlb }: Proxies, folder: string): Promise<string[][]> {
  const rates = { nginx: [] as number[], llmlb: [] as number[] };
  const costs = { nginx: [] as number[], llmlb: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, target] of [["nginx", nginx] as const, ["llmlb", llmlb] as const]) {
      const before = target.cpuMs();
      const options = {
        core: LOAD_CORE,
        connections: 16,
        seconds: round === 0 ? WARM_UP_S : 1,
        folder,
      };
      const run = await wrk({ url: target.url, ...options });
      if (run.errors > 0) throw new Error(`${name}: ${run.errors} requests failed`);
      if (round === 0) continue;
      rates[name].push(run.requestsPerSecond);
      costs[name].push(((target.cpuMs() - before) * 1000) / run.requests);
    }
  }
  const [a, b] = [median(rates.nginx), median(rates.llmlb)];
  const [c, d] = [median(costs.nginx), median(costs.llmlb)];
  return [
    ["requests/s, 16 connections", "", a.toFixed(0), b.toFixed(0), (b / a).toFixed(2)],
    ["processor time/request", "", `${c.toFixed(1)} µs`, `${d.toFixed(1)} µs`, (d / c).toFixed(2)],
  ];
}

async function latency(targets: Proxies, folder: string): Promise<string[][]> {
  const medians = await alternate(targets, async ({ url }) => {
    const run = await wrk({ url, core: LOAD_CORE, connections: 1, seconds: 1, folder });
    return run.medianMs;
  });
  return [row("latency, 1 connection", medians), added("… added", medians)];
}

async function streaming(targets: Proxies): Promise<string[][]> {
  const costs: Record<string, number> = {};
  const medians = await alternate(targets, async (target, name) => {
    const before = target.cpuMs();
    const { delaysMs, damaged } = await sseRound(target.url, STREAMS);
    if (damaged > 0) throw new Error(`${name}: ${damaged} streams were damaged`);
    costs[name] = ((target.cpuMs() - before) * 1000) / delaysMs.length;
    return median(delaysMs);
  });
  const [a = 0, b = 0] = [costs.nginx, costs.llmlb];
  return [
    row(`event delay, ${STREAMS} streams`, medians),
    added("… added", medians),
    ["processor time/event", "", `${a.toFixed(1)} µs`, `${b.toFixed(1)} µs`, (b / a).toFixed(2)],
  ];
}

type Medians = Record<keyof Proxies, number>;

/** Measures the targets in turn, three times, and returns the medians. */
async function alternate(
  targets: Proxies,
  measure: (target: PinnedProcess, name: string) => Promise<number>,
): Promise<Medians> {
  const values = { direct: [] as number[], nginx: [] as number[], llmlb: [] as number[] };
  for (let round = 0; round < 3; round += 1) {
    for (const name of ["direct", "nginx", "llmlb"] as const) {
      values[name].push(await measure(targets[name], name));
    }
  }
  const { direct, nginx, llmlb } = values;
  return { direct: median(direct), nginx: median(nginx), llmlb: median(llmlb) };
}

function row(name: string, { direct, nginx, llmlb }: Medians): string[] {
  const texts = [direct, nginx, llmlb].map((ms) => `${ms.toFixed(3)} ms`);
  return [name, ...texts, (llmlb / nginx).toFixed(2)];
}

function added(name: string, { direct, nginx, llmlb }: Medians): string[] {
  const texts = [nginx - direct, llmlb - direct].map((ms) => `${ms.toFixed(3)} ms`);
  return [name, "", ...texts, ""];
}

await main();
