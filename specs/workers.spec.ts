import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LLAMA_CPP_VERSION } from "../src/config/version.ts";
import { openai, post, says, systemOf } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually, until } from "../src/testkit/eventually.ts";
import { isAlive } from "../src/testkit/processes.ts";
import { Program } from "../src/testkit/program.ts";
import { EndpointList } from "../src/wire/endpoint.ts";
import { LendingOffer, LLAMA_CPP_HEADER } from "../src/wire/lending.ts";
import { NodeSystem } from "../src/wire/system.ts";

setDefaultTimeout(120_000);

const VERSION = { [LLAMA_CPP_HEADER]: LLAMA_CPP_VERSION };
const UPGRADE = {
  ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** A node that lends this host's processor; it can be killed and started again. */
class Worker {
  readonly home = temporaryHome();
  #program: Program | undefined;

  async start(...more: string[]): Promise<this> {
    const port = this.#program === undefined ? [] : ["--port", new URL(this.url).port];
    const args = ["--rpc-worker", "--access", "required", ...port, ...more];
    this.#program = await Program.start({ mode: "node", home: this.home.path, args });
    return this;
  }
  get program(): Program {
    if (this.#program === undefined) throw new Error("the worker was not started");
    return this.#program;
  }
  get url(): string {
    return this.program.url;
  }
  get key(): string {
    return JSON.parse(readFileSync(join(this.home.path, "node.json"), "utf8")).key;
  }
  get headers() {
    return { ...VERSION, authorization: `Bearer ${this.key}` };
  }
  ask(headers: Record<string, string>, path = "/api/rpc"): Promise<Response> {
    return fetch(this.url + path, { headers });
  }
  async loans() {
    const answer = await this.ask(this.headers, "/api/system");
    return NodeSystem.parse(await answer.json()).lending?.loans ?? [];
  }
  async [Symbol.asyncDispose]() {
    await this.program.kill();
    this.home[Symbol.dispose]();
  }
}

/** How one host runs the model, alone or with workers. */
const SHARED = { file: TINY_FILE, threads: 1, context: 4096, slots: 2 };

/** Where a node with these workers has its models: `alone` on one host, `spread` over workers. */
function writeConfig(home: string, workers: Record<string, Worker>) {
  const places = Object.entries(workers).map(([name, { url, key }]) => [
    name,
    { url, api_key: key },
  ]);
  const models = { alone: SHARED, spread: { ...SHARED, workers: Object.keys(workers) } };
  writeFileSync(
    join(home, "config.json"),
    JSON.stringify({ workers: Object.fromEntries(places), models }),
  );
}

/** A model's greedy answer. */
async function greedy(program: Program, model: string, question: string, tokens = 40) {
  const sampling = { temperature: 0, max_tokens: tokens, ignore_eos: true };
  const body = { model, messages: says(question), ...sampling };
  const { choices } = await openai(program).chat.completions.create(body);
  return choices[0]?.message.content ?? "";
}

const QUESTIONS = ["Hello", "What is the weather", "Goodbye", "Tell me a story of a small model"];

describe("a model over two workers and a head", () => {
  const home = temporaryHome();
  let a: Worker;
  let b: Worker;
  let head: Program;

  beforeAll(async () => {
    [a, b] = await Promise.all([new Worker().start(), new Worker().start()]);
    writeConfig(home.path, { a, b });
    head = await Program.start({ mode: "node", home: home.path, args: ["--name", "head"] });
  });
  afterAll(async () => {
    await head?.stop();
    await a?.[Symbol.asyncDispose]();
    await b?.[Symbol.asyncDispose]();
    home[Symbol.dispose]();
  });

  const spread = async () => (await systemOf(head.url)).models.find(({ id }) => id === "spread");
  const ask = (model: string, question: string, tokens?: number) =>
    greedy(head, model, question, tokens);

  /** What a long stream ends with; `onFirst` is called when it has begun. */
  async function errorAfterFirst(model: string, onFirst: () => void): Promise<unknown> {
    const sampling = { temperature: 0, max_tokens: 1900, ignore_eos: true, stream: true as const };
    const body = { model, messages: says("Hello"), ...sampling };
    let count = 0;
    try {
      for await (const _ of await openai(head).chat.completions.create(body)) {
        count += 1;
        if (count === 2) onFirst();
      }
    } catch (error) {
      return error;
    }
    return undefined;
  }

  test("answers as the same model on one host does", async () => {
    for (const question of QUESTIONS) {
      expect(await ask("spread", question)).toBe(await ask("alone", question));
    }
    for (const worker of [a, b]) {
      const [loan, ...others] = await worker.loans();
      expect(others).toEqual([]);
      expect(loan).toMatchObject({ head: "head", model: "spread", address: "127.0.0.1" });
      // Its layers went there: half of 1.2 MB of weights, and what was computed.
      expect(loan?.transferred_bytes).toBeGreaterThan(300_000);
      expect(loan?.memory_bytes).toBeGreaterThan(0);
    }
    expect(await spread()).toMatchObject({ state: "ready", workers: ["a", "b"] });
  });

  test("leaves nothing at its workers when it is unloaded", async () => {
    await ask("spread", "Hello");
    const lent = [...a.program.processes(), ...b.program.processes()];
    expect(lent).toHaveLength(4);
    expect(await runProgram(["stop", "spread"], { home: home.path })).toMatchObject({ code: 0 });
    await until(async () => (await a.loans()).length + (await b.loans()).length === 0, 10_000);
    await until(() => a.program.processes().length + b.program.processes().length === 2, 10_000);
  });

  test("a worker that is killed ends that engine only, and it heals", async () => {
    await ask("spread", "Hello");
    const alone = await ask("alone", "Hello");
    const [spreadPid, alonePid] = [head.enginePid("spread"), head.enginePid("alone")];
    // Both answers are on their way once the stream has begun: they would take seconds.
    const whole = ask("spread", "Hello", 1900).catch((error: unknown) => error);
    const streamed = errorAfterFirst("spread", () => b.program.signal("SIGKILL"));
    const told = { code: "worker_lost", message: expect.stringContaining("its worker b is gone") };
    expect(await whole).toMatchObject({ status: 502, ...told });
    expect(await streamed).toMatchObject(told);
    await until(() => !isAlive(spreadPid), 10_000);
    const state = await spread();
    expect(state).toMatchObject({ state: "unloaded", error: expect.stringContaining("worker b") });
    expect(head.lines.join("\n")).toContain("its worker b cannot be reached");

    // The other model is the same process as before, the other worker has its memory back.
    expect(await ask("alone", "Hello")).toBe(alone);
    expect(head.enginePid("alone")).toBe(alonePid);
    await until(async () => (await a.loans()).length === 0, 10_000);

    const refused = await post(`${head.url}/v1/chat/completions`, {
      ...{ model: "spread", messages: says("Hello") },
    });
    const { error } = (await refused.json()) as { error: Record<string, unknown> };
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(error).toMatchObject({
      code: "worker_unreachable",
      message: expect.stringContaining(
        "its worker b cannot be reached: the connection was refused",
      ),
    });

    await b.start();
    const healed = await eventually(() => ask("spread", "Hello").catch(() => undefined), 60_000);
    expect(healed).toBe(alone);
  });

  test("a worker that is stopped ends in good order, and the head is told", async () => {
    await ask("spread", "Hello");
    const pid = head.enginePid("spread");
    const metrics = await a.ask(a.headers, "/metrics");
    expect(await metrics.text()).toContain("llmlb_lending_loans 1");
    await a.program.stop();
    expect(await a.program.exited).toBe(0);
    await until(() => !isAlive(pid), 10_000);
    await until(() => head.lines.join("\n").includes("the worker shuts down"), 10_000);
  });
});

describe("workers that the balancer knows", () => {
  test("lend to a node that has no key of theirs, and are listed", async () => {
    using home = temporaryHome();
    const balancer = await Program.start({ mode: "balancer", untilReady: false });
    const llmlb = (...args: string[]) => runProgram(args, { home: balancer.home });
    const token = async () => (await llmlb("endpoint", "token")).stdout.trim();
    const joining = async () => ["--join", balancer.url, "--token", await token()];
    const worker = new Worker();
    const models = { alone: SHARED, spread: { ...SHARED, workers: ["lender"] } };
    writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
    try {
      await worker.start("--name", "lender", ...(await joining()));
      const args = ["--name", "head", ...(await joining())];
      const head = await Program.start({ mode: "node", home: home.path, args });
      try {
        const listed = await eventually(async () => {
          const answer = await fetch(`${balancer.url}/api/endpoints`);
          const { endpoints } = EndpointList.parse(await answer.json());
          return endpoints.find(({ name, lending }) => name === "lender" && lending !== undefined);
        });
        expect(listed).toMatchObject({ model_count: 0, lending: { loans: 0 } });
        expect(listed.lending?.free_memory_bytes).toBeGreaterThan(0);
        for (const question of QUESTIONS.slice(0, 2)) {
          const answers = await Promise.all(
            ["alone", "spread"].map((model) => greedy(balancer, model, question)),
          );
          expect(answers[0]).toBe(answers[1]);
        }
        expect(await worker.loans()).toMatchObject([{ head: "head", model: "spread" }]);
      } finally {
        await head.stop();
      }
      await until(async () => (await worker.loans()).length === 0, 10_000);
    } finally {
      await worker[Symbol.asyncDispose]();
      await balancer.stop();
    }
  });
});

describe("who may use a worker's devices", () => {
  let worker: Worker;
  beforeAll(async () => {
    worker = await new Worker().start();
  });
  afterAll(() => worker?.[Symbol.asyncDispose]());

  test("nobody without its key, nor a page, whatever it has", async () => {
    const { headers } = worker;
    const origin = { origin: "https://page.example" };
    const cases: [headers: Record<string, string>, status: number, code: string][] = [
      [VERSION, 401, "invalid_api_key"],
      [{ ...VERSION, authorization: "Bearer sk_node_wrong" }, 401, "invalid_api_key"],
      [{ ...headers, ...origin }, 403, "origin_not_allowed"],
      [{ ...headers, "sec-fetch-site": "same-origin" }, 403, "origin_not_allowed"],
      [{ ...headers, [LLAMA_CPP_HEADER]: "v0.0.1" }, 409, "version_mismatch"],
    ];
    for (const [given, status, code] of cases) {
      for (const upgrade of [{}, UPGRADE]) {
        const answer = await worker.ask({ ...given, ...upgrade });
        const { error } = (await answer.json()) as { error: { code: string } };
        expect({ status: answer.status, code: error.code }).toEqual({ status, code });
      }
    }
    expect(await worker.loans()).toEqual([]);
    const offer = LendingOffer.parse(await (await worker.ask(headers)).json());
    expect(offer).toMatchObject({ llama_cpp_version: LLAMA_CPP_VERSION, loans: 0 });
    expect(offer.devices[0]?.free_memory_bytes).toBeGreaterThan(0);
  });

  test("there is no port but the worker's own: what is lent is a socket", async () => {
    const socket = new WebSocket(`${worker.url.replace("http", "ws")}/api/rpc?head=h&model=m`, {
      headers: worker.headers,
    } as never);
    const greeting = Promise.withResolvers<string>();
    socket.onmessage = ({ data }) => greeting.resolve(String(data));
    expect(JSON.parse(await greeting.promise)).toEqual({ type: "ready" });
    const pids = worker.program.processes();
    expect(pids).toHaveLength(2);
    expect(listenersOf(pids)).toEqual([Number(new URL(worker.url).port)]);
    // What makes no sense ends that tunnel, and the process behind it.
    socket.send(new Uint8Array([9, 0, 0, 0, 1]));
    await until(() => socket.readyState === WebSocket.CLOSED, 5000);
    await until(() => worker.program.processes().length === 1, 5000);
    expect(await worker.loans()).toEqual([]);
  });

  test("a node that lends nothing says so, and none lends to a network without keys", async () => {
    await using node = {
      program: await Program.start({ mode: "node" }),
      [Symbol.asyncDispose]: () => node.program.stop(),
    };
    const answer = await fetch(`${node.program.url}/api/rpc`, { headers: VERSION });
    expect([answer.status, await answer.text()]).toEqual([
      404,
      expect.stringContaining("start it with --rpc-worker"),
    ]);
    using home = temporaryHome();
    const open = ["node", "--rpc-worker", "--port", "0", "--host", "0.0.0.0", "--insecure"];
    const { code, stderr } = await runProgram(open, { home: home.path });
    expect([code, stderr]).toEqual([2, expect.stringContaining("without keys anybody")]);
  });
});

/** The TCP ports that processes listen on (proc(5), net/tcp). */
function listenersOf(pids: number[]): number[] {
  const inodes = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return []; // closed meanwhile
        }
      }),
    ),
  );
  const LISTEN = "0A";
  const rows = ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`/proc/net/${file}`, "utf8").trim().split("\n").slice(1),
  );
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const own = fields.filter((row) => row[3] === LISTEN && inodes.has(row[9] ?? ""));
  return [...new Set(own.map((row) => parseInt(row[1]?.split(":")[1] ?? "", 16)))];
}

test.each([
  [{ workers: ["a", "a"] }, "must be a list of at most 16 names"],
  [{ workers: "a b" }, "must be a list of at most 16 names"],
])("wrong workers of a model are refused at the start: %j", async (settings, message) => {
  using home = temporaryHome();
  const models = { m: { file: TINY_FILE, ...settings } };
  writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
  const { code, stderr } = await runProgram(["serve", "--port", "0"], { home: home.path });
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("a worker that is not known, or refuses, is named with the reason", async () => {
  using home = temporaryHome();
  await using worker = await new Worker().start();
  const wrong = { url: worker.url, api_key: "sk_node_wrong" };
  const spread = (name: string) => ({ file: TINY_FILE, workers: [name] });
  const models = { unknown: spread("gpu9"), locked: spread("a") };
  writeFileSync(join(home.path, "config.json"), JSON.stringify({ workers: { a: wrong }, models }));
  const args = ["--preload", "locked"];
  const head = await Program.start({ mode: "node", home: home.path, args, untilReady: false });
  const errorOf = async (model: string) => {
    const body = { model, messages: says("Hello") };
    const answer = await post(`${head.url}/v1/chat/completions`, body);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    return { status: answer.status, code: error.code, message: error.message };
  };
  try {
    expect(await errorOf("unknown")).toMatchObject({
      ...{ status: 503, code: "worker_refused" },
      message: expect.stringContaining("its worker gpu9 lends nothing: there is no worker of that"),
    });
    expect(await errorOf("locked")).toMatchObject({
      ...{ status: 503, code: "worker_refused" },
      message: expect.stringContaining("its worker a lends nothing: The request was refused: this"),
    });
  } finally {
    await head.stop();
  }
});
