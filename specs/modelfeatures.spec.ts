import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeTinyAdapter } from "../src/testkit/adapter.ts";
import { openai, says } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(120_000);

/** Of the tokens that must be there again, and of those that are then proposed. */
const NGRAM_SIZES = ["--spec-ngram-simple-size-n", "3", "--spec-ngram-simple-size-m", "4"];

const home = temporaryHome();
let program: Program;

beforeAll(async () => {
  for (const name of ["tiny.gguf", "draft.gguf"]) copyFileSync(TINY_FILE, join(home.path, name));
  writeTinyAdapter(join(home.path, "adapter.gguf"));
  const file = "tiny.gguf";
  const models = {
    plain: { file },
    adapted: { file, lora: ["adapter.gguf"] },
    idle: { file, lora: ["adapter.gguf:0"] },
    drafted: { file, draft: "draft.gguf" },
    ngram: { file, speculation: "ngram-simple", args: NGRAM_SIZES },
    mean: { file, pooling: "mean" },
    last: { file, pooling: "last" },
    templated: { file, chat_template: "{% for m in messages %}<{{ m.content }}>{% endfor %}" },
  };
  writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
  program = await Program.start({ home: home.path });
});

afterAll(async () => {
  await program.stop();
  home[Symbol.dispose]();
});

async function ask(model: string, more: object = {}) {
  const answer = await openai(program).chat.completions.create({
    ...{ model, messages: says("Goodbye"), max_tokens: 24, temperature: 0, ...more },
  });
  const { timings } = answer as { timings?: Record<string, number> };
  return { text: answer.choices[0]?.message.content, timings };
}

const ofNode = (path: string, body?: object) =>
  fetch(`${program.nodeUrl}${path}`, {
    ...(body && { method: "POST", body: JSON.stringify(body) }),
    headers: { "content-type": "application/json" },
  });

test("a LoRA adapter changes the answers, and its scale can be changed", async () => {
  const nonsense = (await ask("adapted")).text;
  expect(nonsense).not.toBe("Goodbye!");
  const listed = await (await ofNode("/lora-adapters?model=adapted")).json();
  expect(listed).toMatchObject([{ id: 0, path: join(home.path, "adapter.gguf"), scale: 1 }]);
  for (const [scale, text] of [
    [0, "Goodbye!"],
    [1, nonsense],
    [0, "Goodbye!"],
  ] as const) {
    const changed = await ofNode("/lora-adapters?model=adapted", [{ id: 0, scale }]);
    expect(await changed.json()).toMatchObject({ success: true });
    expect((await ask("adapted")).text).toBe(text);
  }
});

test("a request's own adapters are for it alone, also what was computed with them", async () => {
  const lora = [{ id: 0, scale: 1 }];
  expect((await ask("idle")).text).toBe("Goodbye!");
  const nonsense = (await ask("idle", { lora })).text;
  expect(nonsense).not.toBe("Goodbye!");
  // Other prompts between them, so that those of before are in the host's memory.
  for (const word of ["Hello", "Thanks", "One", "Two", "Three"]) {
    await ask("idle", { messages: says(word), lora });
    await ask("idle", { messages: says(word) });
  }
  expect((await ask("idle")).text).toBe("Goodbye!");
  expect((await ask("idle", { lora })).text).toBe(nonsense);
  expect((await ask("idle")).text).toBe("Goodbye!");
});

test("a draft model and n-grams propose tokens, and the answer stays the same", async () => {
  const counting = says("Say a b c a b c a b c a b c a b c");
  const plain = await ask("plain", { messages: counting });
  const drafted = await ask("drafted", { messages: counting });
  expect(drafted.text).toBe(plain.text);
  expect(drafted.timings?.draft_n_accepted).toBeGreaterThan(5);
  const ngram = await ask("ngram", { messages: counting });
  expect(ngram.text).toBe(plain.text);
  expect(ngram.timings?.draft_n_accepted).toBeGreaterThan(0);
});

test("pooling is that of the embeddings", async () => {
  const vector = async (model: string) => {
    const answer = await openai(program).embeddings.create({ model, input: "Hello there" });
    return answer.data[0]?.embedding;
  };
  const [mean, last] = [await vector("mean"), await vector("last")];
  expect(mean?.length).toBe(256);
  expect(last?.length).toBe(256);
  expect(mean).not.toEqual(last);
});

test("a chat template of its own makes the prompt", async () => {
  const answer = await ofNode("/apply-template", { model: "templated", messages: says("Hello") });
  expect(await answer.json()).toEqual({ prompt: "<Hello>" });
});
