import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { exchange } from "../../src/http/client/exchange.ts";
import { median } from "./rig/load.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { startProxies } from "./rig/proxies.ts";
import { load, requireTools } from "./rig/throughput.ts";

/**
 * What the balancer adds to the latency of chat requests at a steady rate, beside nginx: requests
 * are sent when their time has come, whether those before are answered or not. Run as
 * `npm run bench latency`; takes about a minute. Rounds alternate; medians of their percentiles.
 */

const RATE_PER_S = 500;
const ROUND_S = 3;
const ROUNDS = 5;
const WARM_UP_S = 4;
const PERCENTILES = [50, 90, 99, 99.9];

const NAMES = ["direct", "nginx", "llmlb"] as const;
const HEADERS = { "content-type": "application/json" };
const BODY = Buffer.from(
  JSON.stringify({
    model: "m",
    messages: [{ role: "user", content: "Hello, how are you today?" }],
  }),
);

async function main(): Promise<void> {
  requireTools("nginx", "wrk", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const before = loadavg()[0] ?? 0;
    const proxies = await startProxies(folder, started);
    for (const name of NAMES) await load({ name, server: proxies[name] }, WARM_UP_S, folder);
    const seen = { direct: rounds(), nginx: rounds(), llmlb: rounds() };
    for (let i = 0; i < ROUNDS; i += 1) {
      for (const name of NAMES) {
        const sorted = (await round(proxies[name].url)).sort((a, b) => a - b);
        for (const [p, percentile] of PERCENTILES.entries()) {
          seen[name][p]?.push(sorted[Math.floor((sorted.length * percentile) / 100)] ?? NaN);
        }
      }
    }
    print(seen);
    console.log(`\n${RATE_PER_S} requests/s. Load average before: ${before.toFixed(2)}`);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Per percentile what each round saw. */
type Rounds = number[][];

function rounds(): Rounds {
  return PERCENTILES.map(() => []);
}

/** Sends requests at the rate for a round; returns their latencies in milliseconds. */
async function round(url: string): Promise<number[]> {
  const all: Promise<number>[] = [];
  const startMs = performance.now();
  while (all.length < RATE_PER_S * ROUND_S) {
    const due = ((performance.now() - startMs) * RATE_PER_S) / 1000;
    while (all.length < due) all.push(ask(url));
    await Bun.sleep(1);
  }
  return Promise.all(all);
}

async function ask(url: string): Promise<number> {
  const startMs = performance.now();
  const answer = exchange({
    ...{ url: `${url}/v1/chat/completions`, method: "POST", headers: HEADERS },
    ...{ body: BODY, keepAlive: true },
  });
  const { status } = await answer.head;
  await answer.bytes(1_000_000);
  if (status !== 200) throw new Error(`${url} answered ${status}`);
  return performance.now() - startMs;
}

function print(seen: Record<(typeof NAMES)[number], Rounds>): void {
  console.log("| percentile | direct | nginx | llmlb | nginx adds | llmlb adds | of rounds |");
  console.log("|---|---|---|---|---|---|---|");
  for (const [p, percentile] of PERCENTILES.entries()) {
    const [direct, nginx, llmlb] = NAMES.map((name) => median(seen[name][p] ?? []));
    const times = [
      direct,
      nginx,
      llmlb,
      (nginx ?? 0) - (direct ?? 0),
      (llmlb ?? 0) - (direct ?? 0),
    ];
    const texts = times.map((ms) => `${ms?.toFixed(3)} ms`);
    const all = seen.llmlb[p]?.map((ms, i) => (ms - (seen.direct[p]?.[i] ?? 0)).toFixed(2));
    console.log(`| ${[percentile, ...texts, all?.join(" ")].join(" | ")} |`);
  }
}

await main();
