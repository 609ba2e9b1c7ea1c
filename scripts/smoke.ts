// Does the released file run on a bare machine? `node scripts/run.mjs smoke [executable]`
import { ok as expect } from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pkg from "../package.json" with { type: "json" };
import { errorMessage } from "../src/lib/errormessage.ts";
import { type Jail, makeJail, processesIn, removeJail } from "./smoke/jail.ts";
import { type Server, startServer } from "./smoke/server.ts";

const WARM_START_MS_MAX = 1000;
const AT_ONCE = 4;
const PORT = Number(process.env.LLMLB_SMOKE_PORT ?? 34768);

interface Step {
  name: string;
  /** It measures, or starts so much at once that it says nothing where all is slow. */
  isForOwnMachine?: true;
  /** Returns a note for the report. Throws when the step fails. */
  run(jail: Jail): Promise<string>;
}

const STEPS: Step[] = [
  { name: "prints its version", run: version },
  { name: "starts cold and answers a chat", run: cold },
  { name: "starts warm within a second", isForOwnMachine: true, run: warm },
  { name: "doctor finds nothing wrong", run: doctor },
  {
    name: `${AT_ONCE} first starts at once share one home`,
    isForOwnMachine: true,
    run: atOnce,
  },
];

async function version(jail: Jail): Promise<string> {
  const { code, text } = await once(jail, ["--version"]);
  expect(code === 0 && text.includes(pkg.version), `code ${code}: ${text}`);
  return text.trim();
}

async function cold(jail: Jail): Promise<string> {
  return timesOf([await life(jail)]);
}

/** The best of three, since other programs run on the machine as well. */
async function warm(jail: Jail): Promise<string> {
  const lives = [await life(jail), await life(jail), await life(jail)];
  const times = timesOf(lives);
  const healthMs = Math.min(...lives.map((life) => life.healthMs));
  expect(healthMs < WARM_START_MS_MAX, times);
  return times;
}

/** How long a server took, from the start of its process. */
interface Life {
  healthMs: number;
  readyMs: number;
  answerMs: number;
}

function timesOf(lives: Life[]): string {
  const best = (of: (life: Life) => number) => ms(Math.min(...lives.map(of)));
  const health = best((life) => life.healthMs);
  const ready = best((life) => life.readyMs);
  return `health ${health}, ready ${ready}, first answer ${best((life) => life.answerMs)}`;
}

/** Starts, asks and stops one server; nothing of it may be left. */
async function life(jail: Jail): Promise<Life> {
  const startMs = performance.now();
  const server = await startServer(jail, "/tmp/home", PORT);
  const { healthMs, readyMs } = server;
  let code = 0;
  let answerMs = 0;
  try {
    await answers(server);
    answerMs = performance.now() - startMs;
    const streamed = await server.stream("Goodbye");
    expect(streamed === "Goodbye!", `the stream for "Goodbye" was ${JSON.stringify(streamed)}`);
    const list = await (await fetch(`${server.url}/v1/models`)).text();
    expect(list.includes('"llmlb-tiny"'), `/v1/models: ${list}`);
  } finally {
    code = await server.stop();
  }
  expect(code === 0, `after SIGTERM it ended with code ${code}`);
  const left = await processesIn(jail);
  expect(left.length === 0, `after SIGTERM these processes are left: ${left.join(", ")}`);
  return { healthMs, readyMs, answerMs };
}

async function doctor(jail: Jail): Promise<string> {
  const { code, text } = await once(jail, ["doctor"]);
  expect(code === 0, `code ${code}:\n${text}`);
  return `${text.trim().split("\n").length} lines`;
}

/** All of them copy the same libraries out of the executable, into the same folder. */
async function atOnce(jail: Jail): Promise<string> {
  const home = "/tmp/shared";
  const starts = Array.from({ length: AT_ONCE }, (_, i) => startServer(jail, home, PORT + 1 + i));
  const settled = await Promise.allSettled(starts);
  const servers = settled.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []));
  try {
    for (const start of settled) {
      if (start.status === "rejected" && !isRefusal(start.reason)) throw start.reason;
    }
    expect(servers.length > 0, "none of them started");
    await Promise.all(servers.map(answers));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  const names = await readdir(jail.outside(join(home, "native")));
  const left = names.filter((name) => !/^[0-9a-f]{16}$/.test(name));
  expect(left.length === 0, `leftovers in ${home}/native: ${left.join(", ")}`);
  const slowest = ms(Math.max(...servers.map((s) => s.readyMs)));
  return `${servers.length} started, the slowest was ready after ${slowest}`;
}

/** A start that comes after another one answers is refused: a data folder has one balancer. */
function isRefusal(reason: unknown): boolean {
  return String(reason).includes(" is in use by llmlb ");
}

async function answers(server: Server): Promise<void> {
  const answer = await server.chat("Goodbye");
  expect(answer === "Goodbye!", `the answer to "Goodbye" was ${JSON.stringify(answer)}`);
}

async function once(jail: Jail, args: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn(jail.command(args), {
    env: jail.environment("/tmp/home"),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, text: out + err };
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}

async function main(executable: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "llmlb-smoke-"));
  let failed = 0;
  let passed = 0;
  try {
    const jail = await makeJail(resolve(executable), join(folder, "jail"));
    process.stdout.write(`smoke: ${executable} in ${jail.kind}\n`);
    for (const { name, isForOwnMachine = false, run } of STEPS) {
      if (isForOwnMachine && jail.slowness > 1) continue;
      try {
        process.stdout.write(`(pass) ${name}: ${await run(jail)}\n`);
        passed += 1;
      } catch (cause) {
        failed += 1;
        process.stdout.write(`(fail) ${name}: ${errorMessage(cause)}\n`);
      }
    }
  } finally {
    await removeJail(folder);
  }
  process.stdout.write(` ${passed} pass\n ${failed} fail\n`);
  return failed === 0 ? 0 : 1;
}

const suffix = process.platform === "win32" ? ".exe" : "";
const executable = process.argv[2] ?? join(import.meta.dir, `../dist/llmlb${suffix}`);
const code = await main(executable).catch((cause) => {
  process.stderr.write(`llmlb: ${errorMessage(cause)}\n`);
  return 1;
});
process.exit(code);
