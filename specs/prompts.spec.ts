import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(120_000);

const home = temporaryHome();
const folder = join(home.path, "prompts");
const ENGINE = ["--", "--ctx-size", "8192", "--threads", "1"];
let program: Program;

async function start(args: string[] = [], engine = ENGINE): Promise<void> {
  await program?.stop();
  const models = ["a", "b"].flatMap((name) => [
    ...["--model", `${name}=${join(home.path, `${name}.gguf`)}`],
  ]);
  const all = [...models, "--models-max", "1", ...args, ...engine];
  program = await Program.start({ home: home.path, args: all });
}

beforeAll(async () => {
  for (const name of ["a", "b"]) copyFileSync(TINY_FILE, join(home.path, `${name}.gguf`));
  await start();
});
afterAll(async () => {
  await program.stop();
  home[Symbol.dispose]();
});

interface Answer {
  text: string;
  /** Tokens of the prompt, and those that were not computed for it. */
  prompt: number;
  cached: number;
}

/** A long conversation about something. */
const LONG = 110;
const talk = (about: string) =>
  says(Array.from({ length: LONG }, (_, i) => `${about} number ${i} is here.`).join(" "));

async function ask(model: string, messages: object[]): Promise<Answer> {
  const body = { model, messages, temperature: 0, seed: 1, max_tokens: 24 };
  const response = await post(`${program.url}/v1/chat/completions`, body);
  const answer = await response.json();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${JSON.stringify(answer)}`);
  const { choices, usage } = answer;
  return {
    text: choices[0].message.content,
    prompt: usage.prompt_tokens,
    cached: usage.prompt_tokens_details.cached_tokens,
  };
}

/** Loads the other model, for which there is room only without `a`. */
const evict = () => ask("b", says("Hello"));

/** Has a conversation, and goes on with it once its engine was ended in between. */
async function interrupted(about: string, between: () => Promise<unknown> = evict) {
  const first = await ask("a", talk(about));
  await between();
  const reply = { role: "assistant", content: first.text };
  const second = await ask("a", [...talk(about), reply, ...says("And now?")]);
  return { first, second };
}

const files = (ending = ".kv") =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(ending))
        .map((name) => join(folder, name))
    : [];

/** Whose a file is. */
const modelOf = (file: string) => JSON.parse(readFileSync(`${file}.json`, "utf8")).model;

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${program.nodeUrl}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{model="a"\\} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}

test("a conversation goes on after its engine made room, not from its beginning", async () => {
  const { first, second } = await interrupted("Alpha");
  expect(first.prompt).toBeGreaterThan(1000);
  expect(second.cached).toBeGreaterThan(first.prompt - 10);
  expect(await metric("llmlb_prompts_saved_total")).toBeGreaterThan(0);
  expect(await metric("llmlb_prompts_restored_total")).toBe(1);
  expect(await metric("llmlb_prompt_tokens_restored_total")).toBe(second.cached);
  expect(await metric("llmlb_prompt_disk_bytes")).toBe(
    files().reduce((sum, file) => sum + statSync(file).size, 0),
  );
});

test("the answer is the same as if the engine had not ended", async () => {
  await start(["--prompt-disk", "0"]);
  const uninterrupted = await interrupted("Beta", async () => undefined);
  await start();
  expect(await interrupted("Beta")).toEqual(uninterrupted);
  await start(["--prompt-disk", "0"]);
  await start();
  const outOfMemory = await interrupted("Beta", async () => {
    await ask("a", says("Hi")); // The slots are for it now, the host's memory has the other.
    await evict();
  });
  expect(outOfMemory).toEqual(uninterrupted);
});

test("nothing is kept if nothing is to be, and what is there is removed", async () => {
  expect(files()).not.toEqual([]);
  await start(["--prompt-disk", "0"]);
  await eventually(() => !existsSync(folder) || undefined);
  const { second } = await interrupted("Gamma");
  expect(second.cached).toBeLessThan(10);
  expect(files()).toEqual([]);
  await start();
});

test("several conversations with one model are all kept, also those that no slot has", async () => {
  const subjects = ["One", "Two", "Three"];
  for (const about of subjects) await ask("a", talk(about));
  await evict();
  for (const about of subjects) {
    const { cached, prompt } = await ask("a", talk(about));
    expect(cached).toBeGreaterThan(prompt - 10);
  }
});

test("they are kept over idle time-out, llmlb stop and a restart", async () => {
  const isKept = async (about: string, between: () => Promise<unknown>) => {
    const { first, second } = await interrupted(about, between);
    expect(second.cached).toBeGreaterThan(first.prompt - 10);
  };
  await isKept("Stopped", () => runProgram(["stop", "a"], { home: home.path }));
  await isKept("Restarted", () => start());
  await isKept("Idle", async () => {
    const saved = await metric("llmlb_prompts_saved_total");
    await post(`${program.url}/api/chat`, { model: "a", messages: says("Hi"), keep_alive: "1ms" });
    await eventually(async () => (await metric("llmlb_prompts_saved_total")) > saved || undefined);
  });
});

test("only the user can read them, and no client reaches them", async () => {
  await interrupted("Private");
  const modes = [folder, ...files(), ...files(".json")].map((path) => statSync(path).mode & 0o777);
  expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
  for (const url of [program.url, program.nodeUrl]) {
    const asked = await post(`${url}/prompts`, { model: "a", do: "list" });
    expect(asked.status).toBe(404);
  }
  for (const action of ["save", "restore"]) {
    const [file = ""] = files();
    const slot = `${program.nodeUrl}/slots/0?action=${action}&model=a`;
    const answer = await post(slot, { filename: file.slice(folder.length + 1) });
    expect(answer.status).toBe(501);
  }
});

const DAMAGE: Record<string, (file: string) => void> = {
  cut: (file) => truncateSync(file, statSync(file).size - 1000),
  changed: (file) => {
    const bytes = readFileSync(file);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  },
  gone: (file) => rmSync(file),
};

for (const [damage, harm] of Object.entries(DAMAGE)) {
  test(`a file that was ${damage} costs time, never an answer, and is removed`, async () => {
    let harmed: string[] = [];
    const before = new Set(files());
    const { second } = await interrupted(`Damaged ${damage}`, async () => {
      await evict();
      harmed = files().filter((file) => !before.has(file) && modelOf(file) === "a");
      expect(harmed).not.toEqual([]);
      harmed.forEach(harm);
    });
    expect(second.cached).toBeLessThan(10);
    expect(second.text).not.toBe("");
    expect(harmed.filter(existsSync).length).toBeLessThan(harmed.length);
  });
}

test("with other arguments nothing is read back", async () => {
  const other = ["--", "--ctx-size", "8192", "--threads", "1", "--cache-type-k", "q8_0"];
  const { second } = await interrupted("Other", () => start([], other));
  expect(second.cached).toBeLessThan(10);
  await start();
});

test("the disk is not used beyond the budget", async () => {
  const [largest = 0] = files().map((file) => statSync(file).size);
  const budget = Math.floor(largest * 2.5);
  await start(["--prompt-disk", String(budget)]);
  for (let i = 0; i < 4; i += 1) {
    const { first, second } = await interrupted(`Budget ${i}`);
    expect(second.cached).toBeGreaterThan(first.prompt - 10);
    await evict();
    const used = files().reduce((sum, file) => sum + statSync(file).size, 0);
    expect(used).toBeLessThanOrEqual(budget);
  }
  await start();
});

test("they go with their model", async () => {
  const place = join(home.path, "models", "org", "small");
  mkdirSync(place, { recursive: true });
  copyFileSync(TINY_FILE, join(place, "small-Q8_0.gguf"));
  await start();
  const before = files();
  await ask("org/small", talk("Removed"));
  await evict();
  expect(files().length).toBeGreaterThan(before.length);
  const removed = await runProgram(["rm", "org/small"], { home: home.path });
  expect(removed.code).toBe(0);
  expect(files().sort()).toEqual(before.sort());
});
