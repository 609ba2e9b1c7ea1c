// How much of conversations' prompts is computed again when four nodes share them, by the strategy
// `prefix` and by `round-robin`: `npm run bench prefix`, with `-- --help` for options.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./rig/load.ts";
import { parametersOf, writeRandomModel } from "./rig/model.ts";
import { PROGRAM, type Server, startServer } from "./rig/server.ts";

const NODES = 4;
const STRATEGIES = ["prefix", "round-robin"] as const;
type Strategy = (typeof STRATEGIES)[number];
/** A slot has 4096 tokens. */
const NODE_ARGUMENTS = ["--", "--ctx-size", "16384", "--parallel", "4", "--threads", "1"];
/** No multiple of the nodes, or round-robin would find its way back by chance. */
const CONVERSATIONS = 5;
const WORDS = ["light", "river", "seven", "answers", "below", "stone", "often", "garden", "late"];

/** The cache use of some conversations, without their first turns, which cannot use the cache. */
interface CacheUse {
  cachedTokens: number;
  /** What a node that had the turn before could know: that turn's prompt. */
  cacheableTokens: number;
  firstByteMs: number[];
}

interface Turn {
  promptTokens: number;
  cachedTokens: number;
  firstByteMs: number;
  text: string;
}

interface Plan {
  turns: number;
  /** Words of the first message; those after it have an eighth of that. */
  words: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      turns: { type: "string", default: "6" },
      words: { type: "string", default: "400" },
      size: { type: "string", default: "30MB" },
      seconds: { type: "string", default: "80" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--turns <number>    turns of each conversation (default 6)
--words <number>    words of the first message (default 400)
--size <size>       size of the model (default 30MB)
--seconds <number>  no round begins after that; one of each strategy is always run (default 80)
`);
    return;
  }
  const plan = { turns: Number(values.turns), words: Number(values.words) };
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const servers: Server[] = [];
  try {
    const balancers = await start(folder, values.size, servers);
    process.stdout.write(await compare(balancers, plan, Number(values.seconds) * 1000));
  } finally {
    await Promise.all(servers.toReversed().map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Four nodes, and a balancer of each strategy in front of them. */
async function start(folder: string, size: string, servers: Server[]) {
  const model = join(folder, "random.gguf");
  writeRandomModel({ path: model, parameters: parametersOf(size, "q8_0"), type: "q8_0" });
  const nodes: Server[] = [];
  for (let i = 0; i < NODES; i += 1) {
    const what = ["--model", `bench=${model}`, ...NODE_ARGUMENTS];
    const node = await startServer(`node ${i}`, commandOf(folder, "node", `node${i}`, what));
    servers.push(node);
    nodes.push(node);
  }
  const endpoints = nodes.flatMap(({ url }, i) => ["--endpoint", `node${i}=${url}`]);
  const balancers = new Map<Strategy, Server>();
  for (const strategy of STRATEGIES) {
    const what = ["--strategy", strategy, ...endpoints];
    const balancer = await startServer(strategy, commandOf(folder, "balancer", strategy, what));
    servers.push(balancer);
    balancers.set(strategy, balancer);
  }
  return balancers;
}

function commandOf(folder: string, mode: string, name: string, what: string[]) {
  const home = join(folder, name);
  mkdirSync(home);
  const common = ["--home", home, "--log-level", "warn"];
  return (port: number) => [...PROGRAM, mode, ...common, "--port", String(port), ...what];
}

/** Rounds of both strategies in turn, each with conversations that no node knows. */
async function compare(
  balancers: Map<Strategy, Server>,
  plan: Plan,
  limitMs: number,
): Promise<string> {
  const endMs = performance.now() + limitMs;
  const rounds = new Map<Strategy, CacheUse[]>(STRATEGIES.map((strategy) => [strategy, []]));
  let round = 0;
  do {
    for (const [strategy, { url }] of balancers) {
      const seen = await converse(url, plan, `${strategy} ${round}`);
      rounds.get(strategy)?.push(seen);
      process.stderr.write(`llmlb: round ${round + 1}, ${strategy}: ${told(seen)}\n`);
    }
    round += 1;
  } while (performance.now() < endMs);
  return report(rounds);
}

async function converse(url: string, plan: Plan, salt: string): Promise<CacheUse> {
  const seen: CacheUse = { cachedTokens: 0, cacheableTokens: 0, firstByteMs: [] };
  const conversation = async (number: number) => {
    const messages: { role: string; content: string }[] = [];
    let before: Turn | undefined;
    for (let i = 0; i < plan.turns; i += 1) {
      const words = i === 0 ? plan.words : Math.ceil(plan.words / 8);
      messages.push({ role: "user", content: textOf(`${salt} ${number} ${i}`, words) });
      const turn = await ask(url, messages);
      messages.push({ role: "assistant", content: turn.text });
      if (before !== undefined) {
        seen.cacheableTokens += before.promptTokens;
        seen.cachedTokens += Math.min(turn.cachedTokens, before.promptTokens);
        seen.firstByteMs.push(turn.firstByteMs);
      }
      before = turn;
    }
  };
  await Promise.all(Array.from({ length: CONVERSATIONS }, (_, number) => conversation(number)));
  return seen;
}

async function ask(url: string, messages: object[]): Promise<Turn> {
  const startMs = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: "bench", messages, stream: true, stream_options: { include_usage: true } },
      ...{ max_tokens: 8, temperature: 0, ignore_eos: true },
    }),
  });
  if (!response.ok || response.body === null) throw new Error(await response.text());
  let firstByteMs = 0;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    if (firstByteMs === 0) firstByteMs = performance.now() - startMs;
    text += decoder.decode(chunk, { stream: true });
  }
  const promptTokens = Number(/"prompt_tokens":(\d+)/.exec(text)?.[1]);
  const cachedTokens = Number(/"cached_tokens":(\d+)/.exec(text)?.[1]);
  if (Number.isNaN(promptTokens + cachedTokens)) throw new Error(`no usage in: ${text}`);
  // What a model of random weights says is no text that it would read in the same way again.
  return { promptTokens, cachedTokens, firstByteMs, text: "I see. Go on." };
}

/** Words that follow from `seed`. */
function textOf(seed: string, words: number): string {
  const text = Array.from({ length: words }, (_, i) => {
    const at = Number(Bun.hash.wyhash(`${seed} ${i}`) % BigInt(WORDS.length));
    return WORDS[at];
  });
  return `${seed}: ${text.join(" ")}.`;
}

function share({ cachedTokens, cacheableTokens }: CacheUse): number {
  return cachedTokens / cacheableTokens;
}

function told(seen: CacheUse): string {
  const firstByte = median(seen.firstByteMs).toFixed(0);
  return `${(share(seen) * 100).toFixed(1)} % reused, first token after ${firstByte} ms`;
}

function report(rounds: Map<Strategy, CacheUse[]>): string {
  const all = new Map<Strategy, CacheUse>();
  for (const [strategy, seen] of rounds) {
    all.set(strategy, {
      cachedTokens: seen.reduce((sum, { cachedTokens }) => sum + cachedTokens, 0),
      cacheableTokens: seen.reduce((sum, { cacheableTokens }) => sum + cacheableTokens, 0),
      firstByteMs: seen.flatMap(({ firstByteMs }) => firstByteMs),
    });
  }
  const lines = [...all].map(([strategy, seen]) => {
    const reused = `${(share(seen) * 100).toFixed(1)} %`;
    const firstByte = median(seen.firstByteMs).toFixed(0);
    const turns = seen.firstByteMs.length;
    const tokens = (seen.cacheableTokens / turns).toFixed(0);
    return `| ${strategy} | ${turns} | ${tokens} | ${reused} | ${firstByte} |\n`;
  });
  const [prefix, roundRobin] = STRATEGIES.map((one) => median(all.get(one)?.firstByteMs ?? []));
  const ratio = ((roundRobin ?? Number.NaN) / (prefix ?? Number.NaN)).toFixed(2);
  return `| strategy | turns | cacheable tokens a turn | reused | first token, ms (median) |
| --- | --- | --- | --- | --- |
${lines.join("")}
First token with prefix ${ratio} times sooner.
`;
}

await main();
