import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killIfThere } from "../../src/testkit/processes.ts";
import type { Program } from "../../src/testkit/program.ts";
import { type Chance, chanceOf, evenly } from "./chance.ts";
import { memoryOf, startNode } from "./crowded.ts";
import { makeFleet, type SoakModel } from "./fleet.ts";
import { enginesOf, Meter, type Sample } from "./meter.ts";
import { askKnown, type Outcome } from "./request.ts";
import { atMost, type Check } from "./verdict.ts";

export interface FaultsOptions {
  minutes: number;
  /** The same requests for the same number. Default: 1. */
  seed?: number;
}

const MODELS = 6;
const ROOM = 2.3;
const CLIENTS = 24;
const KILL_EVERY_MS = 7000;
/** A model that crashes again and again is refused for up to a minute (`lifecycle.ts`). */
const EXPLAINED_MS = 65_000;
const HANGS_MS = 120_000;
/** Longest time in which a client leaves. */
const LEAVES_MS = 800;
/** Without work, everything that belonged to requests is gone after this time. */
const REST_MS = 6000;

/** What may grow over the second half of the run. */
const GROWTH_MIB_MAX = 12;
const GROWTH_MAX = 3;

interface Request {
  model: string;
  startMs: number;
  endMs: number;
  outcome: Outcome;
}

/**
 * Clients that leave in the middle, models that take turns in memory, and engines that are killed:
 * errors only where a kill explains them, no request that hangs, and a node that does not grow.
 */
export async function faults({ minutes, seed = 1 }: FaultsOptions): Promise<Check[]> {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-soak-"));
  try {
    const fleet = await makeFleet({ folder, models: MODELS, size: "24MB" });
    const budget = Math.round((await memoryOf(fleet)) * ROOM);
    const node = await startNode(fleet, ["--models-memory", String(budget)]);
    const meter = new Meter({ pid: node.pid, url: node.url });
    try {
      const endMs = performance.now() + minutes * 60_000;
      const [requests, kills] = await Promise.all([
        ask(node.url, fleet, { seed, endMs }),
        kill(node, fleet, { chance: chanceOf(seed), endMs }),
      ]);
      meter.stop();
      await Bun.sleep(REST_MS);
      const rest = await meter.sample();
      return checksOf(requests, { kills, meter, rest });
    } finally {
      meter.stop();
      await node.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(
  url: string,
  fleet: SoakModel[],
  { seed, endMs }: { seed: number; endMs: number },
): Promise<Request[]> {
  const requests: Request[] = [];
  const client = async (number: number) => {
    const chance = chanceOf(seed * 1000 + number);
    while (performance.now() < endMs) {
      const { name: model, answers } = evenly(chance, fleet);
      const leaves = chance() < 0.4 ? { leavesMs: chance() * LEAVES_MS } : {};
      const request = { url, model, answer: evenly(chance, answers), stream: chance() < 0.5 };
      const startMs = performance.now();
      const outcome = await askKnown({ ...request, ...leaves, hangsMs: HANGS_MS });
      requests.push({ model, startMs, endMs: performance.now(), outcome });
      // A model that is refused is not asked in a circle.
      if (outcome.how === "error") await Bun.sleep(200);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return requests;
}

/** Kills an engine now and then; returns when, by model. */
async function kill(
  node: Program,
  fleet: SoakModel[],
  { chance, endMs }: { chance: Chance; endMs: number },
): Promise<Map<string, number[]>> {
  const kills = new Map(fleet.map(({ name }) => [name, [] as number[]]));
  while (performance.now() + KILL_EVERY_MS < endMs) {
    await Bun.sleep(KILL_EVERY_MS);
    const there = enginesOf(node.pid);
    const loaded = fleet.flatMap(({ name }) => {
      const pid = node.lastEnginePid(name);
      return pid !== undefined && there.includes(pid) ? [{ name, pid }] : [];
    });
    if (loaded.length === 0) continue;
    const { name, pid } = evenly(chance, loaded);
    kills.get(name)?.push(performance.now());
    killIfThere(pid);
  }
  return kills;
}

function checksOf(
  requests: Request[],
  { kills, meter, rest }: { kills: Map<string, number[]>; meter: Meter; rest: Sample },
): Check[] {
  const count = (how: Outcome["how"]) => requests.filter(({ outcome }) => outcome.how === how);
  const isExplained = ({ model, startMs, endMs }: Request) =>
    kills.get(model)?.some((atMs) => atMs <= endMs && atMs >= startMs - EXPLAINED_MS) === true;
  const unexplained = count("error").filter((request) => !isExplained(request));
  for (const one of [...unexplained, ...count("wrong"), ...count("hung")].slice(0, 5)) {
    console.error(JSON.stringify(one));
  }
  const mib = ({ rssBytes }: Sample) => rssBytes / 2 ** 20;
  const killed = [...kills.values()].reduce((sum, times) => sum + times.length, 0);
  process.stdout.write(
    `${requests.length} requests: ${count("right").length} right, ${count("left").length} left by \
their clients, ${count("error").length} errors; ${killed} engines killed\n`,
  );
  const course = meter.course(mib).map((size) => size.toFixed(0));
  process.stdout.write(`The node's memory over the run: ${course.join(", ")} MiB\n`);
  const grown = (what: string, of: (sample: Sample) => number) =>
    atMost(`growth of the ${what} in the second half`, meter.growth(of), GROWTH_MAX);
  const sampled = meter.samples.at(-1);
  return [
    atMost("errors that no kill explains", unexplained.length, 0),
    atMost("wrong answers", count("wrong").length, 0),
    atMost("requests that hung", count("hung").length, 0),
    atMost("growth of the node's memory", meter.growth(mib), GROWTH_MIB_MAX, " MiB"),
    grown("open files", ({ openFiles }) => openFiles),
    grown("sockets", ({ sockets }) => sockets),
    grown("children", ({ children }) => children),
    grown("threads", ({ threads }) => threads),
    atMost("children at rest", rest.children, rest.engines.length),
    atMost("sockets at rest", rest.sockets, sampled?.sockets ?? 0),
  ];
}
