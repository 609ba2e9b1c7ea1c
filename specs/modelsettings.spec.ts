import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openai, says, systemOf } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { startHub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo } from "../src/testkit/servers/hub/samples.ts";

setDefaultTimeout(120_000);

describe("the models of config.json", () => {
  const home = temporaryHome();
  let program: Program;

  beforeAll(async () => {
    const stored = join(home.path, "models/acme/stored");
    mkdirSync(stored, { recursive: true });
    copyFileSync(TINY_FILE, join(stored, "stored-Q8_0.gguf"));
    copyFileSync(TINY_FILE, join(home.path, "own.gguf"));
    const models = {
      own: { file: "own.gguf", context: 1024, slots: 2, threads: 1, keep_alive: "1h" },
      "acme/stored": { slots: 3, args: ["--ctx-size", "1536", "--threads", "1"], pin: true },
    };
    writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
    program = await Program.start({ home: home.path });
  });
  afterAll(async () => {
    await program.stop();
    home[Symbol.dispose]();
  });

  test("run as their settings say, each its own way", async () => {
    const client = openai(program);
    for (const model of ["own", "acme/stored"]) {
      await client.chat.completions.create({ model, messages: says("Hello"), max_tokens: 4 });
    }
    const { models } = await systemOf(program.nodeUrl);
    const of = (id: string) => models.find((one) => one.id === id);
    expect(of("own")).toMatchObject({ slots: 2, expires_at: expect.any(String) });
    expect(of("own")?.pinned).toBeUndefined();
    expect(of("acme/stored")).toMatchObject({ slots: 3, pinned: true });
    const long = says("word ".repeat(1200));
    const asked = client.chat.completions.create({ model: "own", messages: long });
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "context_length_exceeded" });
  });

  test("are followed by those of llmlb run, until the model is unloaded", async () => {
    const llmlb = (...args: string[]) => runProgram(args, { home: home.path });
    const entry = async () => {
      const { models } = await systemOf(program.nodeUrl);
      return models.find(({ id }) => id === "own");
    };
    const flags = ["--ctx-size", "4096", "--gpu-layers", "0", "--set", "num_thread=2"];
    const asked = await llmlb("run", "own", ...flags, "--temp", "0", "Goodbye");
    expect([asked.code, asked.stdout]).toEqual([0, "Goodbye!\n"]);
    const load_settings = { ctx_size: 4096, gpu_layers: 0, threads: 2 };
    expect(await entry()).toMatchObject({ slots: 2, context_tokens: 2048, load_settings });
    expect((await llmlb("ps")).stderr).toContain("own was loaded with ctx_size 4096, gpu_layers 0");

    const wrong = await llmlb("run", "own", "--arg=--no-such-thing", "Goodbye");
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("invalid argument: --no-such-thing");
    expect(await entry()).toMatchObject({ state: "ready", load_settings });

    expect((await llmlb("stop", "own")).code).toBe(0);
    expect((await llmlb("run", "own", "Goodbye")).stdout).toBe("Goodbye!\n");
    const after = await entry();
    expect(after?.load_settings).toBeUndefined();
    expect(after?.context_tokens).toBe(512);
  });
});

test.each([
  [{ contxt: 5 }, 'there is no setting "contxt": did you mean "context"?'],
  [{ args: ["--no-such-thing"] }, "model m: args --no-such-thing: invalid argument"],
  [{ args: ["--port", "1"] }, "--port is not possible here"],
])("wrong settings of a model are refused at the start: %j", async (settings, message) => {
  using home = temporaryHome();
  const models = { m: { file: TINY_FILE, ...settings } };
  writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
  const { code, stderr } = await runProgram(["serve", "--port", "0"], { home: home.path });
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("what the registry says of a model goes to its nodes, which load it anew", async () => {
  await using hub = await startHub();
  await hub.add(tinyRepo());
  // What runs is finished however long it takes: the time for draining is for the end of llmlb.
  const env = { HF_ENDPOINT: hub.url, LLMLB_DRAIN_TIMEOUT: "100ms" };
  const program = await Program.start({ env });
  const llmlb = (...args: string[]) => runProgram(args, { home: program.home });
  const slots = async () => {
    const { models } = await systemOf(program.nodeUrl);
    return models.find(({ id }) => id === "hf/llmlb/tiny-GGUF")?.slots;
  };
  try {
    const added = ["model", "add", "llmlb/tiny-GGUF", "--parallel", "2", "--ctx-size", "2048"];
    expect(await llmlb(...added)).toMatchObject({ code: 0 });
    expect(await llmlb("model", "pull", "llmlb/tiny-GGUF")).toMatchObject({ code: 0 });
    const question = ["run", "hf/llmlb/tiny-GGUF", "Goodbye"];
    expect((await llmlb(...question)).stdout).toBe("Goodbye!\n");
    expect(await slots()).toBe(2);

    const client = openai(program);
    const long = await client.chat.completions.create({
      ...{ model: "hf/llmlb/tiny-GGUF", messages: says("Hello"), stream: true, max_tokens: 900 },
      ...{ ignore_eos: true },
    });
    const pieces: string[] = [];
    for await (const { choices } of long) {
      // While it runs, the settings change: it is finished all the same.
      if (pieces.length === 0) {
        const change = ["model", "set", "llmlb/tiny-GGUF", "--parallel", "3", "--ctx-size", "none"];
        expect(await llmlb(...change, "--arg=--ctx-size", "--arg=3072")).toMatchObject({ code: 0 });
      }
      pieces.push(choices[0]?.finish_reason ?? "");
    }
    expect(pieces.at(-1) === "length" || pieces.includes("length")).toBe(true);
    await eventually(async () => ((await slots()) === 3 ? true : undefined), 30_000);
    expect((await llmlb(...question)).stdout).toBe("Goodbye!\n");
    expect((await llmlb("model", "show", "llmlb/tiny-GGUF")).stdout).toContain('"parallel":3');

    for (const [flags, message] of [
      [["--parallel", "many"], "parallel: must be a whole number"],
      [["--arg=--no-such-thing"], "invalid argument: --no-such-thing"],
      [["--arg=--log-file", "--arg=x"], "--log-file names something of one host"],
    ] as const) {
      const refused = await llmlb("model", "set", "llmlb/tiny-GGUF", ...flags);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(message);
    }
  } finally {
    await program.stop();
  }
});
