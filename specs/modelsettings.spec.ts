import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openai, says } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { Program } from "../src/testkit/program.ts";
import { NodeSystem } from "../src/wire/system.ts";

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
    const answer = await fetch(`${program.nodeUrl}/api/system`);
    const { models } = NodeSystem.parse(await answer.json());
    const of = (id: string) => models.find((one) => one.id === id);
    expect(of("own")).toMatchObject({ slots: 2, expires_at: expect.any(String) });
    expect(of("own")?.pinned).toBeUndefined();
    expect(of("acme/stored")).toMatchObject({ slots: 3, pinned: true });
    const long = says("word ".repeat(1200));
    const asked = client.chat.completions.create({ model: "own", messages: long });
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "context_length_exceeded" });
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
