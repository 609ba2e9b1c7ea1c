import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../../src/testkit/program.ts";
import { median } from "../bench/rig/load.ts";
import { batchedLoads, fewestLoads } from "./belady.ts";
import { byRank, chanceOf, evenly } from "./chance.ts";
import { makeFleet, SOAK_ARGS, type SoakModel } from "./fleet.ts";
import { Meter } from "./meter.ts";
import { askKnown, type Outcome } from "./request.ts";
import { atMost, type Check } from "./verdict.ts";

export interface CrowdedOptions {
  minutes: number;
  /** Default: 12. */
  models?: number;
  /** Models that have room at the same time. Default: 3. */
  room?: number;
  /** Default: 40. */
  clients?: number;
  /** Size of each model's file. Default: `40MB`. */
  size?: string;
  /** The same requests for the same number. Default: 1. */
  seed?: number;
}

/** What the clients of a run saw, in the order in which answers came. */
interface Traffic {
  outcomes: { model: string; outcome: Outcome }[];
  /** What each client asked for, in its order. */
  sequences: string[][];
  /** The models in the order in which answers began. */
  order: string[];
  waitsMs: number[];
}

const HANGS_MS = 120_000;
/** The budget is this much more than the models that have room take. */
const BUDGET_SLACK = 0.3;
/** What a process takes besides its model: the program itself. */
const PROCESS_BYTES = 32 * 2 ** 20;
/** Loads, over the fewest by the same order of answers and over the best schedule. */
const ORDER_RATIO_MAX = 1.6;
const SCHEDULE_RATIO_MAX = 2;

/**
 * More models than memory holds, and clients that ask for any of them at random: half of them for
 * all alike, half for some more than for others. Every answer is compared with the one that is
 * known of its model, the memory is looked at each second, and loads are counted beside the best
 * possible.
 */
export async function crowded(options: CrowdedOptions): Promise<Check[]> {
  const { minutes, models = 12, room = 3, clients = 40, size = "40MB", seed = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), "llmlb-soak-"));
  try {
    const fleet = await makeFleet({ folder, models, size });
    const budget = Math.round((await memoryOf(fleet)) * (room + BUDGET_SLACK));
    const node = await startNode(fleet, ["--models-memory", String(budget)]);
    const meter = new Meter({ pid: node.pid, url: node.url });
    let traffic: Traffic;
    try {
      const endMs = performance.now() + minutes * 60_000;
      traffic = await ask(node.url, fleet, { clients, seed, endMs });
    } finally {
      meter.stop();
      await node.stop();
    }
    return checksOf(traffic, { meter, budget, loads: node.engines, room });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a node that serves these models. */
export function startNode(fleet: SoakModel[], args: string[]): Promise<Program> {
  const models = fleet.flatMap(({ name, file }) => ["--model", `${name}=${file}`]);
  return Program.start({ mode: "node", args: [...models, ...args, "--", ...SOAK_ARGS] });
}

/** The memory that a node counts for one of these models. */
export async function memoryOf(fleet: SoakModel[]): Promise<number> {
  const node = await startNode(fleet.slice(0, 1), []);
  const meter = new Meter({ pid: node.pid, url: node.url });
  try {
    return (await meter.sample()).reservedBytes;
  } finally {
    meter.stop();
    await node.stop();
  }
}

async function ask(
  url: string,
  fleet: SoakModel[],
  { clients, seed, endMs }: { clients: number; seed: number; endMs: number },
): Promise<Traffic> {
  const traffic: Traffic = { outcomes: [], sequences: [], order: [], waitsMs: [] };
  const client = async (number: number) => {
    const chance = chanceOf(seed * 1000 + number);
    const choose = number % 2 === 0 ? evenly : byRank;
    const sequence: string[] = [];
    traffic.sequences.push(sequence);
    while (performance.now() < endMs) {
      const { name: model, answers } = choose(chance, fleet);
      sequence.push(model);
      const startMs = performance.now();
      const request = { url, model, answer: evenly(chance, answers), stream: chance() < 0.5 };
      const outcome = await askKnown({ ...request, hangsMs: HANGS_MS });
      traffic.waitsMs.push(performance.now() - startMs);
      traffic.order.push(model);
      traffic.outcomes.push({ model, outcome });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return traffic;
}

function checksOf(
  { outcomes, sequences, order, waitsMs }: Traffic,
  run: { meter: Meter; budget: number; loads: number; room: number },
): Check[] {
  const { meter, budget, loads, room } = run;
  const wrong = outcomes.filter(({ outcome }) => outcome.how === "wrong");
  const failed = outcomes.filter(({ outcome: { how } }) => how === "error" || how === "hung");
  for (const one of [...wrong, ...failed].slice(0, 5)) console.error(JSON.stringify(one));
  const byOrder = fewestLoads(order, room);
  const schedule = batchedLoads(sequences, room);
  const mib = (bytes: number) => bytes / 2 ** 20;
  const [middle, longest] = [median(waitsMs), Math.max(...waitsMs)].map((ms) => ms / 1000);
  process.stdout.write(
    `${outcomes.length} answers, ${loads} loads; the fewest in the order of answers: ${byOrder}, \
of the best schedule: ${schedule}. Waits: median ${middle?.toFixed(2)} s, longest \
${longest?.toFixed(1)} s\n`,
  );
  const processes = meter.most(
    ({ engineBytes, engines }) => engineBytes - engines.length * PROCESS_BYTES,
  );
  const reserved = meter.most(({ reservedBytes }) => reservedBytes);
  return [
    atMost("failed answers", failed.length, 0),
    atMost("wrong answers", wrong.length, 0),
    atMost("memory that the node counts", mib(reserved), mib(budget), " MiB"),
    atMost("memory of the engines, without the program", mib(processes), mib(budget), " MiB"),
    atMost(
      "engines at the same time",
      meter.most(({ engines }) => engines.length),
      room + 1,
    ),
    atMost("loads over the fewest in the order of answers", loads / byOrder, ORDER_RATIO_MAX),
    atMost("loads over those of the best schedule", loads / schedule, SCHEDULE_RATIO_MAX),
  ];
}
