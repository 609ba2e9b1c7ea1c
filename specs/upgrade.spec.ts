import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { frames, post, says, TINY } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { isAlive } from "../src/testkit/processes.ts";
import type { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(120_000);

const { start, newHome } = stage();
const successors: number[] = [];
afterEach(async () => {
  for (const pid of successors.splice(0)) {
    if (isAlive(pid)) process.kill(pid, "SIGTERM");
    await eventually(() => !isAlive(pid) || undefined, 20_000);
  }
});

interface PidFile {
  pid: number;
  upgrade_failed?: { reason: string };
}

function pidFileOf(home: string): PidFile {
  const folder = join(home, "run");
  const name = readdirSync(folder).find((one) => /^serve-\d+\.json$/.test(one)) ?? "";
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as PidFile;
}

/** Asks for an upgrade and waits until another process has the pid file. Returns its number. */
async function upgraded(program: Program): Promise<number> {
  program.signal("SIGUSR2");
  const pid = await eventually(() => {
    const { pid } = pidFileOf(program.home);
    return pid === program.pid ? undefined : pid;
  }, 60_000);
  successors.push(pid);
  return pid;
}

/** A stream of so many tokens; resolves with what it counted and why it ended. */
async function longStream(url: string, tokens: number) {
  const response = await post(`${url}/v1/chat/completions`, {
    ...{ model: TINY, messages: says("Go on"), stream: true, temperature: 1, ignore_eos: true },
    ...{ max_tokens: tokens, stream_options: { include_usage: true } },
  });
  expect(response.status).toBe(200);
  let usage: { completion_tokens: number } | undefined;
  let isDone = false;
  for await (const { data, json } of frames(response)) {
    if (json?.error !== undefined) throw new Error(`the stream was cut: ${data}`);
    usage = (json?.usage as typeof usage) ?? usage;
    isDone ||= data === "[DONE]";
  }
  return { tokens: usage?.completion_tokens, isDone };
}

const TOKENS = 50;

/** Eight streams at any time, until it is stopped. */
class Streams {
  readonly #running: Promise<Awaited<ReturnType<typeof longStream>>[]>[];
  #isOver = false;

  constructor(url: string) {
    this.#running = Array.from({ length: 8 }, () => this.#stream(url));
  }

  /** Waits for the last ones and returns all. */
  async stop() {
    this.#isOver = true;
    return (await Promise.all(this.#running)).flat();
  }

  async #stream(url: string) {
    const ended = [];
    while (!this.#isOver) ended.push(await longStream(url, TOKENS));
    return ended;
  }
}

/** Asks again and again, on a new connection and on one that is kept, until it is stopped. */
class Trickle {
  answered = 0;
  readonly failures: string[] = [];
  readonly #asking: Promise<unknown>;
  #isOver = false;

  constructor(url: string) {
    this.#asking = Promise.all([this.#ask(url, { connection: "close" }), this.#ask(url, {})]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#asking;
  }

  async #ask(url: string, headers: Record<string, string>): Promise<void> {
    const body = { model: TINY, messages: says("Hi"), max_tokens: 1 };
    for (let i = 0; !this.#isOver; i += 1) {
      try {
        const isShort = i % 4 !== 0;
        const response = isShort
          ? await fetch(`${url}/v1/models`, { headers })
          : await post(`${url}/v1/chat/completions`, body, { headers });
        await response.text();
        if (response.ok) this.answered += 1;
        else this.failures.push(`HTTP ${response.status}`);
      } catch (error) {
        this.failures.push(String(error));
      }
      await Bun.sleep(10);
    }
  }
}

const SLOTS = ["--", "--parallel", "10", "--ctx-size", "10240", "--threads", "1"];

test.each(["node", "balancer", "standalone"] as const)(
  "a %s is upgraded: no stream is cut, no request fails, and the old process ends",
  async (mode) => {
    if (process.platform === "win32") return;
    const behind = mode === "balancer" ? await start({ mode: "node", args: SLOTS }) : undefined;
    const args = behind === undefined ? SLOTS : ["--endpoint", behind.url, "--default-slots", "16"];
    const program = await start({ mode, args });
    const streams = new Streams(program.url);
    const trickle = new Trickle(program.url);
    await eventually(() => trickle.answered > 10 || undefined, 30_000);
    const pid = await upgraded(program);
    const before = trickle.answered;
    await eventually(() => trickle.answered > before + 20 || undefined, 30_000);
    const whole = await streams.stop();
    expect(whole.length).toBeGreaterThanOrEqual(8);
    for (const stream of whole) expect(stream).toEqual({ tokens: TOKENS, isDone: true });
    expect(await program.exited).toBe(0);
    const alone = trickle.answered;
    await eventually(() => trickle.answered > alone + 10 || undefined, 20_000);
    await trickle.stop();
    expect(trickle.failures).toEqual([]);
    const lines = readFileSync(join(program.home, "logs", "llmlb.log"), "utf8").split("\n");
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    expect(pidFileOf(program.home).pid).toBe(pid);
    process.kill(pid, "SIGTERM");
    await eventually(() => program.processes().length === 0 || undefined, 20_000);
  },
);

test("a new program that does not come up leaves the old one as it was; it is told", async () => {
  if (process.platform === "win32") return;
  const home = newHome();
  const program = await start({ mode: "balancer", home, untilReady: false });
  const restart = () => runProgram(["restart"], { home });
  const change = async (name: string) => {
    const body = { name, permissions: ["openai.inference"] };
    expect((await post(`${program.url}/api/keys`, body)).status).toBe(201);
  };
  await change("before");
  const config = join(home, "config.json");
  writeFileSync(config, '{"queue_max": "many"}');
  expect(await restart()).toMatchObject({ code: 2, stderr: expect.stringContaining("queue_max") });
  program.signal("SIGUSR2");
  const { reason } = await eventually(() => pidFileOf(home).upgrade_failed, 20_000);
  expect(reason).toContain("The new llmlb did not come up");
  expect(reason).toContain("queue_max");
  expect((await fetch(`${program.url}/health`)).status).toBe(200);
  writeFileSync(config, "{}");
  // One that is killed when it has the data folder already.
  program.signal("SIGUSR2");
  const killed = await eventually(() => {
    const line = program.lines.find((one) => one.includes("upgrade.prepared")) ?? "{}";
    return (JSON.parse(line) as { successor_pid?: number }).successor_pid;
  }, 20_000);
  process.kill(killed, "SIGKILL");
  await eventually(() => pidFileOf(home).upgrade_failed?.reason.includes("SIGKILL") || undefined);
  await change("after");
  // The next one comes up, and finds an audit log that is whole.
  const done = await restart();
  expect(done).toMatchObject({ code: 0, stderr: "" });
  const { pid } = pidFileOf(home);
  successors.push(pid);
  expect(done.stdout).toContain(`has handed over to process ${pid}`);
  expect(await program.exited).toBe(0);
  await change("last");
  const verified = await post(`${program.url}/api/audit/verify`, {});
  expect(await verified.json()).toMatchObject({ valid: true });
  const names = (await (await fetch(`${program.url}/api/keys`)).json()) as {
    keys: { name: string }[];
  };
  expect(names.keys.map(({ name }) => name).sort()).toEqual(["after", "before", "last"]);
  expect((await runProgram(["stop"], { home })).code).toBe(0);
});
