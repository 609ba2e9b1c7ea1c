import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../src/testkit/freeport.ts";
import { median } from "./load.ts";
import { type PinnedProcess, startPinned } from "./pinned.ts";
import { PROGRAM } from "./server.ts";
import { wrk } from "./wrk.ts";

/** What is measured has one core for itself; load and upstreams share another. */
export const TARGET_CORE = 0;
export const LOAD_CORE = 1;

const CONNECTIONS = 16;
const ROUNDS = 5;
const ROUND_S = 2;
/** A JavaScript program is as fast as it gets after some seconds. */
const WARM_UP_S = 6;

/** Something that answers chat requests. */
export interface Target {
  name: string;
  server: PinnedProcess;
  /** Sent with every request; default none. */
  headers?: Record<string, string>;
}

/** Medians over the rounds. */
export interface Throughput {
  name: string;
  requestsPerSecond: number;
  /** Requests per second of each round. */
  rates: number[];
  /** Processor time per request, in microseconds. */
  costUs: number;
}

/** Exits with a word of advice if a tool is missing; moves this process to the load's core. */
export function requireTools(...names: string[]): void {
  const missing = names.filter((name) => Bun.which(name) === null);
  if (missing.length > 0) {
    console.error(
      `Missing: ${missing.join(", ")}. On Debian: apt-get install nginx-light wrk util-linux npm`,
    );
    process.exit(1);
  }
  if (availableParallelism() < 2) console.error("Warning: one core only, all figures will be low.");
  Bun.spawnSync(["taskset", "-pc", String(LOAD_CORE), String(process.pid)]);
}

/** Starts a script of this folder as an upstream on a free port; waits for its list of models. */
export async function startUpstream(script: string, ...args: string[]): Promise<PinnedProcess> {
  const port = freePort();
  const file = fileURLToPath(new URL(script, import.meta.url));
  const argv = [process.execPath, file, String(port), ...args];
  return startPinned({ argv, core: LOAD_CORE, port, probe: "/v1/models" });
}

/**
 * Starts the balancer before some endpoints, as users do; its data goes below `folder`, into a
 * folder of its own or into `home`. `program` is the command to start, default this checkout's.
 */
export async function startBalancer(
  endpoints: string[],
  folder: string,
  program: string[] = PROGRAM,
  { home, more = [] }: { home?: string; more?: string[] } = {},
): Promise<PinnedProcess> {
  const port = freePort();
  const args = endpoints.flatMap((url, i) => ["--endpoint", `e${i}=${url}`]);
  // Upstreams take everything at once; nothing is to wait for a slot.
  args.push("--port", String(port), "--default-slots", "1000", ...more);
  return startPinned({
    argv: [...program, "balancer", ...args],
    core: TARGET_CORE,
    port,
    env: { LLMLB_HOME: home ?? join(folder, `home-${port}`) },
    probe: "/ready",
  });
}

/** Sends chat requests for some seconds; returns how many. Throws if one failed. */
export async function load(target: Target, seconds: number, folder: string) {
  const { name, server, headers = {} } = target;
  const options = { url: server.url, core: LOAD_CORE, connections: CONNECTIONS };
  const run = await wrk({ ...options, seconds, folder, headers });
  if (run.errors > 0) throw new Error(`${name}: ${run.errors} requests failed`);
  return run;
}

/** Processor time of a target per request, in microseconds, over some seconds of load. */
export async function requestCostUs(target: Target, seconds: number, folder: string) {
  const beforeMs = target.server.cpuMs();
  const { requests } = await load(target, seconds, folder);
  return ((target.server.cpuMs() - beforeMs) * 1000) / requests;
}

/**
 * Measures all targets in each of some rounds; the order changes with each, so drift hits all
 * alike. Returns the values of the rounds by target, in the targets' order.
 */
export async function inTurns(
  targets: Target[],
  rounds: number,
  measure: (target: Target) => Promise<number>,
): Promise<number[][]> {
  const values = targets.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = targets.map((target, i) => [target, i] as const);
    for (const [target, i] of round % 2 === 0 ? order : order.toReversed()) {
      values[i]?.push(await measure(target));
    }
  }
  return values;
}

/** Measures targets in turn, after a warm-up each; rounds alternate, so drift hits all alike. */
export async function throughput(targets: Target[], folder: string): Promise<Throughput[]> {
  const rates = targets.map((): number[] => []);
  const costs = targets.map((): number[] => []);
  for (const target of targets) await load(target, WARM_UP_S, folder);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [i, target] of targets.entries()) {
      const beforeMs = target.server.cpuMs();
      const run = await load(target, ROUND_S, folder);
      rates[i]?.push(run.requestsPerSecond);
      costs[i]?.push(((target.server.cpuMs() - beforeMs) * 1000) / run.requests);
    }
  }
  return targets.map(({ name }, i) => ({
    name,
    requestsPerSecond: median(rates[i] ?? []),
    rates: rates[i] ?? [],
    costUs: median(costs[i] ?? []),
  }));
}

/** Prints a table; ratios are to the first row. */
export function printThroughput(rows: Throughput[]): void {
  const [first] = rows;
  console.log("| target | requests/s | lowest–highest | ratio | processor time/request | ratio |");
  console.log("|---|---|---|---|---|---|");
  for (const { name, requestsPerSecond, rates, costUs } of rows) {
    const rate = (requestsPerSecond / (first?.requestsPerSecond ?? 0)).toFixed(2);
    const cost = (costUs / (first?.costUs ?? 0)).toFixed(2);
    const range = `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`;
    const middle = requestsPerSecond.toFixed(0);
    console.log(`| ${[name, middle, range, rate, `${costUs.toFixed(1)} µs`, cost].join(" | ")} |`);
  }
}
