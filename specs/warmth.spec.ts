import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Ollama } from "ollama";
import { post, says, systemOf } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { EndpointDetail, type EndpointList } from "../src/wire/endpoint.ts";
import { LoadedModelList } from "../src/wire/residency.ts";

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
      const { models } = await systemOf(url);
      return { name, state: models.find(({ id }) => id === model)?.state };
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

describe("the balancer's own commands and routes", () => {
  const llmlb = (...args: string[]) => runProgram(args, { home: home.path });
  const act = (action: string, body: object) =>
    post(`${balancer.url}/api/models/${action}`, { model: "shown", ...body });

  test("load, show, pin and unload a model at a node, or at all of them", async () => {
    const loading = await llmlb("load", "shown", "--endpoint", "two", "--keep-alive", "1h");
    expect(loading).toMatchObject({ code: 0, stdout: "Loaded shown. (two)\n" });
    expect(await loadedAt("shown")).toEqual(["two"]);
    expect((await llmlb("ps")).stdout).toMatch(/shown +loaded .*in (60 min|1 h) +two/);

    const { models } = LoadedModelList.parse(
      await (await fetch(`${balancer.url}/api/models/loaded`)).json(),
    );
    expect(models.filter(({ model }) => model === "shown")).toEqual([
      {
        ...{ model: "shown", endpoint: "two", state: "loaded", active_requests: 0 },
        ...{ size_bytes: expect.any(Number), expires_at: expect.any(String) },
      },
    ]);
    expect(await (await act("load", { endpoint: "one" })).json()).toEqual({
      ...{ model: "shown", endpoints: [{ endpoint: "one", state: "loaded", error: null }] },
    });
    expect((await loadedAt("shown")).sort()).toEqual(NODES);
    expect(await llmlb("pin", "shown", "--endpoint", "one")).toMatchObject({ code: 0 });
    expect((await llmlb("ps")).stdout).toMatch(/shown +loaded .*pinned +one/);
    expect(await llmlb("unpin", "shown")).toMatchObject({ code: 0 });
    expect(await llmlb("stop", "shown")).toMatchObject({ code: 0 });
    expect(await loadedAt("shown")).toEqual([]);
  });

  test("say in every list of models what is loaded", async () => {
    expect(await act("load", { endpoint: "one" })).toMatchObject({ status: 200 });
    const { endpoints } = (await get("/api/endpoints?name=one")) as EndpointList;
    const detail = EndpointDetail.parse(await get(`/api/endpoints/${endpoints[0]?.id}`));
    expect(detail.models.find(({ model_id }) => model_id === "shown")?.state).toBe("loaded");
    expect(await get("/v1/models/shown")).toMatchObject({ loaded: true });
    const { models } = await new Ollama({ host: balancer.url }).ps();
    expect(models.map(({ name }) => name)).toContain("shown");
    await act("unload", {});
    expect(await get("/v1/models/shown")).toMatchObject({ loaded: false });
  });

  test("refuse what is not there, and say so", async () => {
    const code = async (answer: Response) => [
      answer.status,
      ((await answer.json()) as { error: { code: string } }).error.code,
    ];
    expect(await code(await act("load", { model: "none" }))).toEqual([404, "model_not_found"]);
    expect(await code(await act("load", { endpoint: "x" }))).toEqual([404, "endpoint_not_found"]);
    // What only the node's parser knows is as wrong here as there.
    const wrong = await act("load", { settings: { args: ["--no-such-thing"] } });
    expect(await wrong.clone().text()).toContain("invalid argument: --no-such-thing");
    expect(await code(wrong)).toEqual([400, "invalid_request"]);
    const { error } = await (await act("load", { settings: { contxt: 5 } })).json();
    expect(error.message).toEndWith('there is no setting "contxt": did you mean "context"?');
    expect(await llmlb("load", "none")).toMatchObject({ code: 1 });
  });
});

async function get(path: string): Promise<unknown> {
  return (await fetch(balancer.url + path)).json();
}
