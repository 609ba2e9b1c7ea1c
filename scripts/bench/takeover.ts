// How long a stream stands still when its endpoint dies: `npm run bench takeover`, with
// `-- --help` for options.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventually } from "../../src/testkit/eventually.ts";
import { Program } from "../../src/testkit/program.ts";
import { median } from "./rig/load.ts";
import { parametersOf, writeRandomModel } from "./rig/model.ts";

const MODEL = "bench";
/** So many tokens of a stream come before its node is killed. */
const TOKENS_BEFORE = 8;
/** Of a sentence, in the tiny model's words. */
const SENTENCE_TOKENS = 13;
const NODES = 2;
const GO_ON_MS_MAX = 60_000;

/** One balancer in front of two nodes with the same model. */
interface Fleet {
  nodes: Program[];
  /** The arguments of each. */
  args: string[];
  balancer: Program;
  /** From each break to the next token, in ms. */
  tookMs: number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      tokens: { type: "string", default: "1000" },
      size: { type: "string", default: "60MB" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--rounds <number>   breaks of each sort (default 7)
--tokens <number>   length of each prompt, more or less (default 1000)
--size <size>       size of the model (default 60MB)
`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const model = join(folder, "bench.gguf");
  writeRandomModel({ path: model, parameters: parametersOf(values.size, "q8_0"), type: "q8_0" });
  const fleet = await startFleet(model);
  try {
    await measure(fleet, { rounds: Number(values.rounds), tokens: Number(values.tokens) });
  } finally {
    await fleet.balancer.stop();
    await Promise.all(fleet.nodes.map((node) => node.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startFleet(model: string): Promise<Fleet> {
  const engine = ["--", "--temp", "0", "--threads", "1", "--ctx-size", "16384", "--parallel", "4"];
  const args = ["--model", `${MODEL}=${model}`, ...engine];
  const start = () => Program.start({ mode: "node", args: ["--port", "0", ...args] });
  const nodes = await Promise.all(Array.from({ length: NODES }, start));
  const tookMs: number[] = [];
  const balancer = await Program.start({
    mode: "balancer",
    args: [
      ...nodes.flatMap(({ url }, index) => ["--endpoint", `n${index}=${url}`]),
      ...["--health-interval", "300ms", "--strategy", "round-robin"],
    ],
    hears: ({ msg, took_ms: ms }) => {
      if (msg === "stream.continued") tookMs.push(Number(ms));
    },
  });
  return { nodes, args, balancer, tookMs };
}

/** Breaks where the other node knows the prompt take turns with those where it does not. */
async function measure(fleet: Fleet, { rounds, tokens }: { rounds: number; tokens: number }) {
  const { nodes, tookMs } = fleet;
  const results = { processing: [] as number[], cached: [] as number[] };
  const breaks = { warm: [] as number[], cold: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ["cold", "warm"] as const) {
      const prompt = promptOf(`${round} ${kind}`, tokens);
      // Both have the model loaded.
      for (const node of nodes) await firstTokenMs(node, "Hello");
      if (kind === "warm") {
        for (const node of nodes) results.processing.push(await firstTokenMs(node, prompt));
        for (const node of nodes) results.cached.push(await firstTokenMs(node, prompt));
      }
      const before = tookMs.length;
      const killed = await breakOne(fleet, prompt);
      breaks[kind].push(await eventually(() => tookMs[before], GO_ON_MS_MAX));
      await restart(fleet, killed);
    }
  }
  const line = (what: string, times: number[]) => {
    process.stdout.write(`${what.padEnd(58)} ${median(times).toFixed(0).padStart(6)} ms\n`);
  };
  line(`first token of a prompt of ${tokens} tokens, at a node`, results.processing);
  line("the same, where the prompt is cached", results.cached);
  line("from the break to the next token, where it is not cached", breaks.cold);
  line("the same, where the prompt is cached", breaks.warm);
}

/** A prompt that no other one begins like. */
function promptOf(name: string, tokens: number): string {
  const sentence = "The little fox walked over the hill and looked at the sea. ";
  return `Number ${name}. ${sentence.repeat(Math.ceil(tokens / SENTENCE_TOKENS))}`;
}

/** Puts a node in the place of one that was killed, and waits until requests go to it. */
async function restart({ nodes, args, balancer }: Fleet, index: number): Promise<void> {
  const port = new URL(nodes[index]?.url ?? "").port;
  await nodes[index]?.kill();
  nodes[index] = await Program.start({ mode: "node", args: ["--port", port, ...args] });
  await eventually(async () => {
    const { endpoints } = await (await fetch(`${balancer.url}/ready`)).json();
    return endpoints.every((one: { status: string }) => one.status === "online") || undefined;
  }, GO_ON_MS_MAX);
}

/** A stream whose node is killed after some tokens; returns which. It is left when it goes on. */
async function breakOne({ nodes, balancer }: Fleet, prompt: string): Promise<number> {
  const leaving = new AbortController();
  const answer = await chat(balancer.url, { prompt, tokens: 400, signal: leaving.signal });
  const index = Number(answer.headers.get("x-llmlb-endpoint")?.slice(1));
  const serving = nodes[index];
  let events = 0;
  let isBroken = false;
  for await (const bytes of answer.body ?? []) {
    events += Buffer.from(bytes).toString().split("data: ").length - 1;
    if (isBroken && events > 2 * TOKENS_BEFORE) break;
    if (isBroken || events < TOKENS_BEFORE) continue;
    isBroken = true;
    events = TOKENS_BEFORE;
    if (serving === undefined) throw new Error("nobody is said to serve it");
    serving.signal("SIGKILL");
  }
  leaving.abort();
  return index;
}

/** Time to the first token of a stream. */
async function firstTokenMs({ url }: Program, prompt: string): Promise<number> {
  const startMs = performance.now();
  const { body } = await chat(url, { prompt, tokens: 1 });
  let ms = Number.NaN;
  for await (const _ of body ?? []) if (Number.isNaN(ms)) ms = performance.now() - startMs;
  return ms;
}

interface Chat {
  prompt: string;
  tokens: number;
  signal?: AbortSignal;
}

async function chat(url: string, { prompt, tokens, signal }: Chat): Promise<Response> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: MODEL, messages: [{ role: "user", content: prompt }], stream: true },
      ...{ max_tokens: tokens, ignore_eos: true, temperature: 0 },
    }),
    ...(signal && { signal }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

await main();
