import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { allFrames, type Frame, post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { mulberry32 } from "../src/testkit/random.ts";

setDefaultTimeout(120_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));
const HEROES = ["robot", "wolf", "bear", "duck", "dog", "fox", "cat", "horse"];
const NODES = 3;
const CLIENTS = 4;
const KILLS = 4;

const nodes: Program[] = [];
let balancer: Program;

async function startNode(index: number): Promise<void> {
  const port = nodes[index] === undefined ? "0" : new URL(nodes[index].url).port;
  const args = ["--port", port, "--model", `${TINY}=${GGUF}`];
  nodes[index] = await Program.start({ mode: "node", args });
}

beforeAll(async () => {
  for (let index = 0; index < NODES; index += 1) await startNode(index);
  const endpoints = nodes.flatMap(({ url }, index) => ["--endpoint", `n${index}=${url}`]);
  const args = [...endpoints, "--health-interval", "500ms", "--strategy", "round-robin"];
  balancer = await Program.start({ mode: "balancer", args });
  for (const hero of HEROES) told.set(hero, await tell(hero));
});
afterAll(async () => {
  await balancer?.stop();
  await Promise.all(nodes.map((node) => node.kill()));
});

interface Story {
  text: string;
  ids: number;
  roles: number;
  finish: unknown[];
  usage: unknown;
  error: unknown;
}

/** What an undisturbed stream tells of each hero. */
const told = new Map<string, Story>();

async function tell(hero: string): Promise<Story> {
  const body = {
    ...{ model: TINY, messages: says(`Tell me a story about a ${hero}`), temperature: 0 },
    ...{ stream: true, stream_options: { include_usage: true }, max_tokens: 200 },
  };
  return storyOf(await allFrames(await post(`${balancer.url}/v1/chat/completions`, body)));
}

interface Chunk {
  id: string;
  error?: unknown;
  choices?: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

function storyOf(all: Frame[]): Story {
  const chunks = all.map(({ json }) => json as unknown as Chunk | undefined).filter((one) => !!one);
  const choices = chunks.flatMap(({ choices = [] }) => choices);
  const usage = chunks.map((chunk) => chunk.usage).find((one) => one != null);
  return {
    text: choices.map(({ delta }) => delta.content ?? "").join(""),
    ids: new Set(chunks.map(({ id }) => id)).size,
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    finish: choices.map((one) => one.finish_reason).filter((one) => one !== null),
    usage: usage && [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
    error: chunks.map(({ error }) => error).find((one) => one !== undefined),
  };
}

describe("streams whose node or engine is killed", () => {
  test("are told to their end by others, byte for byte", async () => {
    const random = mulberry32(7);
    let isOver = false;
    const broken: unknown[] = [];
    const client = async (number: number) => {
      for (let turn = 0; !isOver; turn += 1) {
        const hero = HEROES[(number + turn) % HEROES.length] ?? "";
        const story = await tell(hero);
        if (!Bun.deepEquals(story, told.get(hero))) broken.push([story, told.get(hero)]);
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
    for (let kill = 0; kill < KILLS; kill += 1) {
      await Bun.sleep(200 + (random() % 500));
      const index = kill % NODES;
      const node = nodes[index] as Program;
      if (kill % 2 === 0) process.kill(node.enginePid(TINY), "SIGKILL");
      else {
        await node.kill();
        await startNode(index);
        await eventually(async () => {
          const { endpoints } = await (await fetch(`${balancer.url}/ready`)).json();
          return endpoints.every((one: { status: string }) => one.status === "online") || undefined;
        });
      }
    }
    isOver = true;
    await Promise.all(clients);
    expect(broken).toEqual([]);
  });
});
