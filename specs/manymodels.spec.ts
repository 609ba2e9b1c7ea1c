import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Ollama } from "ollama";
import { crowded } from "../scripts/soak/crowded.ts";
import { openai, post, says, systemOf } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { softwareVulkan } from "../src/testkit/vulkan.ts";

setDefaultTimeout(120_000);

const vulkan = softwareVulkan();
const MODELS = Array.from({ length: 6 }, (_, i) => `m${i}`);
const home = temporaryHome();
let program: Program;

beforeAll(async () => {
  const folder = join(home.path, "files");
  mkdirSync(folder);
  const args = MODELS.flatMap((name) => {
    const file = join(folder, `${name}.gguf`);
    copyFileSync(TINY_FILE, file);
    return ["--model", `${name}=${file}`];
  });
  const more = [
    "--models-max",
    "2",
    "--",
    "--ctx-size",
    "2048",
    "--parallel",
    "4",
    "--threads",
    "1",
  ];
  program = await Program.start({ home: home.path, args: [...args, ...more] });
});
afterAll(async () => {
  await program.stop();
  home[Symbol.dispose]();
});

async function loaded(): Promise<string[]> {
  const { models } = await systemOf(program.nodeUrl);
  return models.filter(({ state }) => state === "ready").map(({ id }) => id);
}

const isLoaded = (model: string, wanted: boolean) =>
  eventually(async () => (await loaded()).includes(model) === wanted || undefined, 20_000);

test("more models than there is room for are all answered, at once and in turn", async () => {
  const client = openai(program);
  const ask = (model: string) =>
    client.chat.completions.create({ model, messages: says("Hello"), max_tokens: 4 });
  const names = Array.from({ length: 60 }, (_, i) => MODELS[(i * 5) % MODELS.length] ?? "m0");
  const answers = await Promise.all(names.map(ask));
  expect(answers.map(({ model }) => model)).toEqual(names);
  expect((await loaded()).length).toBeLessThanOrEqual(2);
});

test("Ollama's clients load and unload a model, and say how long it stays", async () => {
  const ollama = new Ollama({ host: program.url });
  const loading = await ollama.generate({ model: "m3", prompt: "", keep_alive: "10m" });
  expect(loading.done_reason).toBe("load");
  const expiresInMs = async () => {
    const { models } = await ollama.ps();
    const found = models.find(({ name }) => name === "m3");
    return found && new Date(found.expires_at).getTime() - Date.now();
  };
  expect(Math.round(((await expiresInMs()) ?? 0) / 60_000)).toBe(10);
  expect(await loaded()).toContain("m3");
  const unloading = await ollama.generate({ model: "m3", prompt: "", keep_alive: 0 });
  expect(unloading.done_reason).toBe("unload");
  expect(await expiresInMs()).toBeUndefined();
  await isLoaded("m3", false);
  const message = { role: "user", content: "Hello" };
  await ollama.chat({ model: "m4", messages: [message], keep_alive: "1s" });
  await isLoaded("m4", false);
});

test("llmlb stop MODEL frees its memory, and ps tells what is loaded until when", async () => {
  const run = (...args: string[]) => runProgram(args, { home: home.path });
  await new Ollama({ host: program.url }).generate({ model: "m1", prompt: "", keep_alive: "1h" });
  const listed = await run("ps");
  expect(listed.stdout).toMatch(/m1 +loaded .*60 min|m1 +loaded .*1 h/);
  const stopped = await run("stop", "m1");
  expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringContaining("m1")]);
  expect(await loaded()).not.toContain("m1");
  expect((await run("stop", "nothing-like-it")).code).toBe(1);
});

test("a model is loaded and pinned by command and by request", async () => {
  const run = (...args: string[]) => runProgram(args, { home: home.path });
  expect(await run("load", "m2", "--keep-alive", "1h")).toMatchObject({ code: 0 });
  expect(await loaded()).toContain("m2");
  expect(await run("pin", "m5")).toMatchObject({ code: 0 });
  for (const model of ["m0", "m1"]) {
    const answer = await post(`${program.nodeUrl}/api/models/load`, { model });
    expect(await answer.json()).toMatchObject({ id: model, state: "ready" });
  }
  expect(await loaded()).toEqual(["m1", "m5"]);
  expect((await run("ps")).stdout).toMatch(/m5 +loaded .*pinned/);
  expect((await run("pin", "nothing-like-it")).code).toBe(1);
  expect(await run("unpin", "m5")).toMatchObject({ code: 0 });
});

test("what is too large gets a shorter context, or is refused with the numbers", async () => {
  using home = temporaryHome();
  const args = ["--model", `a=${TINY_FILE}`, "--model", `b=${TINY_FILE}`];
  const bounded = [...args, "--models-memory", "20MiB"];
  const short = await Program.start({ home: home.path, args: bounded });
  await openai(short).chat.completions.create({ model: "a", messages: says("Hello") });
  const { models } = await systemOf(short.nodeUrl);
  const { shortened, reserved = {} } = models.find(({ id }) => id === "a") ?? {};
  expect(shortened).toEqual({ context_tokens: 4352, wished_context_tokens: 8192 });
  expect(reserved.host).toBeGreaterThan(15 * 2 ** 20);
  const listed = await runProgram(["ps"], { home: home.path });
  expect(listed.stderr + listed.stdout).toContain("a has 4352 tokens of context instead of 8192");
  await short.stop();
  // Its first model is loaded at the start: it never gets ready.
  const more = ["--models-memory", "5MiB", "--fit", "off"];
  const tiny = await Program.start({
    home: home.path,
    args: [...args, ...more],
    untilReady: false,
  });
  const refused = await openai({ url: tiny.nodeUrl })
    .chat.completions.create({ model: "a", messages: says("Hello") })
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 507, code: "too_large" });
  await tiny.stop();
});

test.skipIf(vulkan === undefined)("a GPU's memory is counted apart from the host's", async () => {
  using home = temporaryHome();
  const args = ["--model", `a=${TINY_FILE}`, "--preload", "a"];
  const own = await Program.start({ home: home.path, env: vulkan ?? {}, args });
  const { models } = await systemOf(own.nodeUrl);
  const { reserved = {}, size_bytes: size = 0 } = models.find(({ id }) => id === "a") ?? {};
  expect(reserved.Vulkan0).toBeGreaterThan(size);
  expect(reserved.host).toBeGreaterThan(0);
  const metrics = await (await fetch(`${own.nodeUrl}/metrics`)).text();
  expect(metrics).toMatch(/llmlb_memory_budget_bytes\{memory="Vulkan0"\} \d+/);
  await own.stop();
});

const onLinux = test.if(process.platform === "linux");

onLinux("of many models each client gets the right one's answer, within their memory", async () => {
  const few = { models: 5, room: 2, clients: 12, size: "24MB" };
  const checks = await crowded({ ...few, minutes: 0.2 });
  // How few loads there are is for long runs to show.
  const certain = checks.filter(({ what }) => !what.startsWith("loads"));
  expect(certain.length).toBeGreaterThan(3);
  expect(certain.filter(({ holds }) => !holds)).toEqual([]);
});
