import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import type { EndpointList } from "../src/wire/endpoint.ts";
import { NodeSystem } from "../src/wire/system.ts";

setDefaultTimeout(120_000);

/** Each node loads the first one at its start. */
const MODELS = ["first", "asked", "burst", "queue", "shown"];
const NODES = ["one", "two"];

const home = temporaryHome();
let balancer: Program;
const nodes = new Map<string, Program>();

beforeAll(async () => {
  balancer = await Program.start({ mode: "balancer", home: home.path, untilReady: false });
  const folder = join(home.path, "files");
  mkdirSync(folder);
  const models = MODELS.flatMap((name) => {
    const file = join(folder, `${name}.gguf`);
    copyFileSync(TINY_FILE, file);
    return ["--model", `${name}=${file}`];
  });
  const { stdout } = await runProgram(["endpoint", "token", "--uses", "2"], { home: home.path });
  const join_ = ["--join", balancer.url, "--token", stdout.trim()];
  const engine = ["--", "--ctx-size", "8192", "--parallel", "4", "--threads", "1", "--temp", "0"];
  for (const name of NODES) {
    const args = [...models, ...join_, "--name", name, ...engine];
    nodes.set(name, await Program.start({ mode: "node", args }));
  }
  await eventually(async () => {
    const answer = await fetch(`${balancer.url}/api/endpoints?status=online`);
    return ((await answer.json()) as EndpointList).total === 2 || undefined;
  }, 30_000);
});
afterAll(async () => {
  for (const node of nodes.values()) await node.stop();
  await balancer.stop();
  home[Symbol.dispose]();
});

function chat(url: string, model: string, more: object = {}): Promise<Response> {
  const body = { model, messages: says("Hello"), max_tokens: 4, ...more };
  return post(`${url}/v1/chat/completions`, body);
}

/** The nodes that answered so many requests at the same time. */
async function answeredBy(model: string, count: number, more: object = {}): Promise<Set<string>> {
  const all = Array.from({ length: count }, () => chat(balancer.url, model, more));
  const answers = await Promise.all(all);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return new Set(answers.map(({ headers }) => headers.get("x-llmlb-endpoint") ?? ""));
}

/** The nodes that have a model loaded. */
async function loadedAt(model: string): Promise<string[]> {
  const states = await Promise.all(
    [...nodes].map(async ([name, { url }]) => {
      const system = NodeSystem.parse(await (await fetch(`${url}/api/system`)).json());
      return { name, state: system.models.find(({ id }) => id === model)?.state };
    }),
  );
  return states.filter(({ state }) => state === "ready").map(({ name }) => name);
}

test("a model is asked for where it is loaded, though nobody was measured there", async () => {
  expect(await loadedAt("asked")).toEqual([]);
  expect((await chat(nodes.get("two")?.url ?? "", "asked")).status).toBe(200);
  for (let i = 0; i < 6; i += 1) expect([...(await answeredBy("asked", 3))]).toEqual(["two"]);
  expect(await loadedAt("asked")).toEqual(["two"]);
});

test("a burst for a model that nobody has loaded loads it once", async () => {
  await answeredBy("first", 8);
  expect((await answeredBy("burst", 12)).size).toBe(1);
  expect(await loadedAt("burst")).toHaveLength(1);
});

test("when its queue is longer than a load, it is loaded at the second node as well", async () => {
  await answeredBy("first", 8);
  const [first] = await answeredBy("queue", 4);
  expect(await loadedAt("queue")).toEqual([first as string]);
  const long = { max_tokens: 120, ignore_eos: true };
  let waves = 0;
  for (; waves < 6 && (await loadedAt("queue")).length < 2; waves += 1) {
    await answeredBy("queue", 14, long);
  }
  expect((await loadedAt("queue")).sort()).toEqual(NODES);
});
