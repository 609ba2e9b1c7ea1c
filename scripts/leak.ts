// Sends thousands of requests of all kinds through one engine and tells how its process grows:
// `bun scripts/leak.ts [--requests 10000]`. Linux only.
import { parseArgs } from "node:util";
import {
  decodingSlots,
  ENDLESS,
  EngineHome,
  launchTest,
  sendToEngine,
  TINY_MMPROJ_FILE,
  tinyChat,
} from "../src/testkit/engine.ts";
import { until } from "../src/testkit/eventually.ts";
import { type Usage, usageOf } from "./bench/rig/process.ts";
import { type Point, slope } from "./bench/rig/slope.ts";

type Engine = Awaited<ReturnType<typeof launchTest>>;

const STEPS = 10;
const CLIENTS = 8;
/** Caches fill and the allocator finds its size within this part of the requests. */
const WARM_UP = 0.3;
const CHAT = "/v1/chat/completions";

/** What clients do, in turn. */
const KINDS: ((engine: Engine, number: number) => Promise<void>)[] = [
  (engine, i) => complete(engine, tinyChat(`Count to ${i}`, { max_tokens: 8 })),
  (engine, i) => complete(engine, tinyChat(`Hello ${i}`, { stream: true, max_tokens: 16 })),
  (engine) => leave(engine, { ...ENDLESS, stream: true }),
  (engine) => leave(engine, ENDLESS),
  (engine) => complete(engine, "{no json"),
  (engine) => complete(engine, tinyChat("word ".repeat(5000))),
  (engine, i) =>
    complete(engine, tinyChat(`Call ${i}`, { stream: true, max_tokens: 8, logprobs: true })),
  async (engine) =>
    void (await (await sendToEngine(engine, "/tokenize", { content: "abc" })).text()),
];

async function complete(engine: Engine, body: object | string): Promise<void> {
  await (await sendToEngine(engine, CHAT, body)).bytes();
}

/** A client that goes away in the middle. */
async function leave(engine: Engine, more: object): Promise<void> {
  const client = new AbortController();
  setTimeout(() => client.abort(), 20);
  await sendToEngine(engine, CHAT, tinyChat("Tell a story", more), client.signal)
    .then((response) => response.bytes())
    .catch(() => undefined); // it is meant to be cut
}

async function round(engine: Engine, from: number, to: number): Promise<void> {
  let next = from;
  const client = async () => {
    for (let i = next++; i < to; i = next++) await KINDS[i % KINDS.length]?.(engine, i);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await until(async () => (await decodingSlots(engine)) === 0, 10_000);
}

function show(label: string, { rssBytes, threads, openFiles }: Usage): void {
  const size = `${(rssBytes / 2 ** 20).toFixed(1)} MiB`;
  process.stdout.write(`${label}: ${size}, ${threads} threads, ${openFiles} open files\n`);
}

const { values } = parseArgs({ options: { requests: { type: "string", default: "10000" } } });
const requests = Number(values.requests);
using home = new EngineHome();
// Without the cache of earlier prompts, which is meant to grow up to its limit.
const args = ["--cache-ram", "0"];
const engine = await launchTest(home, { mmprojPath: TINY_MMPROJ_FILE, args });
show("start", usageOf(engine.pid));
const points: Point[] = [];
for (let step = 1; step <= STEPS; step += 1) {
  const done = Math.round((requests * step) / STEPS);
  await round(engine, Math.round((requests * (step - 1)) / STEPS), done);
  const usage = usageOf(engine.pid);
  show(String(done), usage);
  points.push({ x: done, y: usage.rssBytes });
}
const warm = points.filter((point) => point.x > requests * WARM_UP);
process.stdout.write(`growth after warm-up: ${slope(warm).toFixed(0)} bytes a request\n`);
await engine.stop(5000);
process.exit(0);
