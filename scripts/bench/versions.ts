import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { median } from "./rig/load.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import { sseRound } from "./rig/sse.ts";
import {
  inTurns,
  load,
  requestCostUs,
  requireTools,
  startBalancer,
  startUpstream,
  type Target,
} from "./rig/throughput.ts";

/**
 * What two versions of the balancer cost, in turns in one run: processor time per request and per
 * streamed event. Run as `npm run bench versions -- OLD NEW [ROUNDS]`, each an executable or a
 * `main.ts`. Ratios are made pair by pair, because the machine's speed drifts; their median counts.
 */

const ROUNDS_DEFAULT = 12;
const ROUND_S = 2;
const WARM_UP_S = 6;
const WARM_UP_STREAMS = 3;
const STREAMS = 128;

async function main([old, changed, rounds = String(ROUNDS_DEFAULT)]: string[]): Promise<void> {
  if (old === undefined || changed === undefined) {
    console.error("Usage: npm run bench versions -- OLD NEW [ROUNDS]");
    process.exit(1);
  }
  requireTools("wrk", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const upstream = await startUpstream("upstream.ts");
    started.push(upstream);
    const targets: Target[] = [];
    for (const [name, program] of [["old", old] as const, ["new", changed] as const]) {
      const server = await startBalancer([upstream.url], folder, commandOf(program));
      started.push(server);
      targets.push({ name, server });
    }
    for (const target of targets) {
      await load(target, WARM_UP_S, folder);
      for (let round = 0; round < WARM_UP_STREAMS; round += 1) await eventCost(target);
    }
    console.log("| measure | old | new | new / old | lowest–highest |\n|---|---|---|---|---|");
    await compare("processor time/request", targets, Number(rounds), (target) =>
      requestCostUs(target, ROUND_S, folder),
    );
    await compare("processor time/event", targets, Number(rounds), eventCost);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function commandOf(program: string): string[] {
  const path = resolve(program);
  return path.endsWith(".ts") ? [process.execPath, path] : [path];
}

/** Measures both in turn and prints a row. */
async function compare(
  measure: string,
  targets: Target[],
  rounds: number,
  cost: (target: Target) => Promise<number>,
): Promise<void> {
  const [old = [], changed = []] = await inTurns(targets, rounds, cost);
  const ratios = changed.map((value, i) => value / (old[i] ?? Number.NaN));
  const range = `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`;
  const shown = [old, changed].map((values) => `${median(values).toFixed(1)} µs`);
  console.log(`| ${[measure, ...shown, median(ratios).toFixed(3), range].join(" | ")} |`);
}

async function eventCost({ name, server }: Target): Promise<number> {
  const beforeMs = server.cpuMs();
  const { delaysMs, damaged } = await sseRound(server.url, STREAMS);
  if (damaged > 0) throw new Error(`${name}: ${damaged} streams were damaged`);
  return ((server.cpuMs() - beforeMs) * 1000) / delaysMs.length;
}

await main(process.argv.slice(2));
