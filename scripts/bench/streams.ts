import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./rig/load.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { usageOf } from "./rig/process.ts";
import { startProxies } from "./rig/proxies.ts";
import { sseRound } from "./rig/sse.ts";
import { requireTools } from "./rig/throughput.ts";
import { STREAM_EVENTS } from "./rig/upstream.ts";

/**
 * 512 streams of 20 events a second each, at the same time, through nginx and the balancer: every
 * event is checked. Run as `npm run bench streams`; takes about a minute.
 */

const STREAMS = 512;
const GAP_MS = 50;
const ROUNDS = 2;
const MIB = 2 ** 20;

async function main(): Promise<void> {
  requireTools("nginx", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  let damagedInAll = 0;
  try {
    const before = loadavg()[0] ?? 0;
    const proxies = await startProxies(folder, started, String(GAP_MS));
    console.log("| round | streams damaged | events | median delay | p99 | processor | memory |");
    console.log("|---|---|---|---|---|---|---|");
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const name of ["direct", "nginx", "llmlb"] as const) {
        const { pid, url, cpuMs } = proxies[name];
        const cpuBefore = cpuMs();
        const { damaged, delaysMs } = await sseRound(url, STREAMS);
        damagedInAll += damaged;
        const sorted = delaysMs.toSorted((a, b) => a - b);
        const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
        const costUs = ((cpuMs() - cpuBefore) * 1000) / delaysMs.length;
        const cells = [`${name} ${round}`, `${damaged} of ${STREAMS}`, `${delaysMs.length}`];
        cells.push(`${median(sorted).toFixed(2)} ms`, `${p99.toFixed(2)} ms`);
        cells.push(`${costUs.toFixed(1)} µs/event`);
        cells.push(`${(usageOf(pid).rssBytes / MIB).toFixed(0)} MiB`);
        console.log(`| ${cells.join(" | ")} |`);
      }
    }
    const each = `${STREAM_EVENTS} events each, ${1000 / GAP_MS} a second`;
    console.log(`\n${each}. Load average before: ${before.toFixed(2)}`);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (damagedInAll > 0) process.exitCode = 1;
}

await main();
