import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { type ApiClient, apiClients } from "../src/testkit/apiclients.ts";
import { allFrames, type Frame, post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { mulberry32 } from "../src/testkit/random.ts";

setDefaultTimeout(120_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));
const HEROES = ["robot", "wolf", "bear", "duck", "dog", "fox", "cat", "horse"];
/** Whatever the clients ask for. */
const GREEDY = ["--drain-timeout", "100ms", "--", "--temp", "0"];
const NODES = 3;
const KILLS = 4;

const nodes: Program[] = [];
let balancer: Program;

async function startNode(index: number): Promise<void> {
  const port = nodes[index] === undefined ? "0" : new URL(nodes[index].url).port;
  const args = ["--port", port, "--model", `${TINY}=${GGUF}`, ...GREEDY];
  nodes[index] = await Program.start({ mode: "node", args });
}

beforeAll(async () => {
  for (let index = 0; index < NODES; index += 1) await startNode(index);
  const endpoints = nodes.flatMap(({ url }, index) => ["--endpoint", `n${index}=${url}`]);
  const args = [...endpoints, "--health-interval", "500ms", "--strategy", "round-robin"];
  balancer = await Program.start({ mode: "balancer", args });
  apis = { ...apiClients(balancer.url), raw: { ask: askRaw } };
  for (const [api, { ask }] of Object.entries(apis)) {
    for (const hero of HEROES) told.set(`${api} ${hero}`, await ask(questionOf(hero)));
  }
});
afterAll(async () => {
  await balancer?.stop();
  await Promise.all(nodes.map((node) => node.kill()));
});

/** The official clients, and one that sees every event. */
let apis: Record<string, Pick<ApiClient, "ask"> | { ask: typeof askRaw }>;

/** What an undisturbed stream tells, by the API and the hero. */
const told = new Map<string, unknown>();

const questionOf = (hero: string) => ({
  ...{ model: TINY, streams: true, prompt: `Tell me a story about a ${hero}` },
});

async function askRaw({ prompt }: { prompt: string }) {
  const body = {
    ...{ model: TINY, messages: says(prompt), max_tokens: 200 },
    ...{ stream: true, stream_options: { include_usage: true } },
  };
  return storyOf(await allFrames(await post(`${balancer.url}/v1/chat/completions`, body)));
}

interface Chunk {
  id: string;
  error?: unknown;
  choices?: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

function storyOf(all: Frame[]) {
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
    const client = async (api: string) => {
      for (let turn = 0; !isOver; turn += 1) {
        const hero = HEROES[turn % HEROES.length] ?? "";
        const expected = told.get(`${api} ${hero}`);
        const story = await apis[api]?.ask(questionOf(hero)).catch((error: unknown) => error);
        if (!Bun.deepEquals(story, expected)) broken.push({ api, story, expected });
      }
    };
    const clients = Object.keys(apis).map(client);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await Bun.sleep(200 + (random() % 500));
      const index = kill % NODES;
      const node = nodes[index] as Program;
      if (kill % 2 === 0) process.kill(node.enginePid(TINY), "SIGKILL");
      else {
        // One that is stopped ends what outlasts its limit with an error event.
        if (kill % 4 === 3) {
          node.signal("SIGTERM");
          await node.exited;
        }
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
