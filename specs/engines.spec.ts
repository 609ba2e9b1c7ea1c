import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { openai, post, says } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { EngineHome, launchTest, sendToEngine, tinyChat } from "../src/testkit/engine.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(60_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));
const CHAT = "/v1/chat/completions";
const ENGINE = ["--threads", "1", "--parallel", "2", "--ctx-size", "4096"];

let program: Program;
beforeAll(async () => {
  program = await Program.start({ mode: "node", args: ["--model", `m=${GGUF}`, "--", ...ENGINE] });
});
afterAll(() => program?.stop());

const ask = (path: string, body: object) => post(`${program.url}${path}`, { model: "m", ...body });
const chat = (more: object = {}) => ask(CHAT, { messages: says("Hello"), max_tokens: 60, ...more });

interface Completion {
  choices: {
    finish_reason: string;
    message: { content: string; tool_calls?: { function: { name: string; arguments: string } }[] };
    logprobs?: { content: { token: string; bytes: number[]; top_logprobs: object[] }[] };
  }[];
  usage: { prompt_tokens: number; completion_tokens: number };
}
async function completion(response: Response): Promise<Completion> {
  expect(response.status).toBe(200);
  return (await response.json()) as Completion;
}
async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { message: string; code: string } };
  return { status: response.status, ...error };
}

/** The data of a stream's events, without `[DONE]`. */
async function chunks(response: Response) {
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  expect(lines.pop()).toBe("data: [DONE]");
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

const parameters = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
const tool = (name: string) => ({ type: "function", function: { name, parameters } });

describe("what would keep an engine busy for minutes or end it", () => {
  const many = Array.from({ length: 65_536 }, (_, index) => ({ const: index }));
  const schema = { anyOf: many };
  const format = { type: "json_schema", json_schema: { name: "a", schema } };
  const deep = `root ::= ${"(".repeat(60_000)}"a"`;

  test.each([
    [CHAT, { dry_sequence_breakers: many.map(String), dry_multiplier: 1 }],
    [CHAT, { response_format: format }],
    [CHAT, { tools: [{ type: "function", function: { name: "f", parameters: schema } }] }],
    [CHAT, { grammar: deep }],
    ["/v1/completions", { prompt: "a", grammar: deep }],
    ["/v1/responses", { input: "a", text: { format: { type: "json_schema", name: "a", schema } } }],
    ["/infill", { input_prefix: "a", input_suffix: "b", grammar: deep }],
  ])("is refused before the engine has it, at %s", async (path, more) => {
    const before = program.engines;
    const error = await errorOf(await ask(path, { messages: says("x"), ...more }));
    expect(error).toMatchObject({ status: 400, code: "limit_exceeded" });
    expect(error.message).toContain("at most");
    expect((await chat()).status).toBe(200);
    expect(program.engines).toBeLessThanOrEqual(Math.max(before, 1));
  });
});

test("a stopped engine is noticed: its requests are answered, the next starts it", async () => {
  expect((await chat()).status).toBe(200);
  const pid = program.enginePid("m");
  process.kill(pid, "SIGSTOP");
  const waiting = await errorOf(await chat());
  expect(waiting).toMatchObject({ status: 502, code: "engine_crashed" });
  expect((await chat()).status).toBe(200);
  expect(program.enginePid("m")).not.toBe(pid);
});

test("a stopped local node is noticed as well, and started again", async () => {
  const args = ["--model", `m=${GGUF}`, "--", ...ENGINE];
  const standalone = await Program.start({ args });
  try {
    const body = { model: "m", messages: says("Hello"), max_tokens: 5 };
    const send = () => post(`${standalone.url}${CHAT}`, body);
    expect((await send()).status).toBe(200);
    const pid = standalone.nodePid;
    process.kill(pid, "SIGSTOP");
    expect((await send()).status).toBe(502);
    await eventually(() => standalone.nodePid !== pid || undefined);
    await eventually(async () => (await send()).status === 200 || undefined);
  } finally {
    await standalone.stop();
  }
});

test("an engine whose decoding loop is stuck is ended", async () => {
  using home = new EngineHome();
  const engine = await launchTest(home);
  // No node would pass it on.
  const grammar = `root ::= ${"[a-z]? ".repeat(5000)}`;
  const answer = sendToEngine(engine, CHAT, tinyChat("x", { grammar })).then(
    () => "answered",
    () => "broken",
  );
  const { expected, message } = await engine.exited;
  expect([expected, message]).toEqual([false, expect.stringContaining("stuck for over 10 s")]);
  expect(await answer).toBe("broken");
});

describe("patterns in a schema", () => {
  const answerTo = (pattern: string) => {
    const schema = {
      type: "object",
      properties: { y: { type: "string", pattern } },
      required: ["y"],
      additionalProperties: false,
    };
    const json_schema = { name: "a", strict: true, schema };
    return chat({ response_format: { type: "json_schema", json_schema }, seed: 1 });
  };

  test.each([
    ...["^\\d{4}$", "^a\\/b$", "^a\\!$", "^[^a]$", '^"\\w"$', "^\\d\\d-\\p{Lu}$", "^\\s?x$"],
  ])("are enforced: %s", async (pattern) => {
    const { choices } = await completion(await answerTo(pattern));
    const { y } = JSON.parse(choices[0]?.message.content ?? "");
    expect(y).toMatch(new RegExp(pattern, pattern.includes("\\p") ? "u" : ""));
  });

  test("that no grammar can express are refused", async () => {
    const error = await errorOf(await answerTo("^(?=a)a$"));
    expect(error).toMatchObject({ status: 400, code: "unsupported_pattern" });
    expect(error.message).toContain("`^(?=a)a$`");
  });
});

describe("a required call", () => {
  test.each([
    ["any", "required", "f"],
    ["named", { type: "function", function: { name: "g" } }, "g"],
  ])("comes out at once: %s", async (_, tool_choice, name) => {
    const more = { tools: [tool("f"), tool("g")], tool_choice, seed: 1, max_tokens: 300 };
    const { choices } = await completion(await chat(more));
    const call = choices[0]?.message.tool_calls?.[0]?.function;
    expect(choices[0]?.message.content ?? "").toBe("");
    if (typeof tool_choice === "object") expect(call?.name).toBe(name);
    else expect(["f", "g"]).toContain(call?.name ?? "");
  });

  test("without tools is refused", async () => {
    const error = await errorOf(await chat({ tool_choice: "required" }));
    expect(error).toMatchObject({ status: 400, param: "tool_choice" });
  });

  test("comes out of a template that knows no tools", async () => {
    const args = ["--model", `m=${GGUF}`, "--", ...ENGINE, "--chat-template", "chatml"];
    const plain = await Program.start({ mode: "node", args });
    try {
      const body = { model: "m", messages: says("x"), tools: [tool("f")], tool_choice: "required" };
      const response = await post(`${plain.url}${CHAT}`, { ...body, seed: 1, max_tokens: 300 });
      const { choices } = await completion(response);
      expect(choices[0]?.message.tool_calls?.[0]?.function.name).toBe("f");
    } finally {
      await plain.stop();
    }
  });
});

describe("usage", () => {
  test("counts all choices, also more of them than slots", async () => {
    for (const n of [2, 5]) {
      const body = await completion(await chat({ n, max_tokens: 5, ignore_eos: true }));
      expect(body.choices).toHaveLength(n);
      expect(body.usage.completion_tokens).toBe(5 * n);
    }
  });

  test("counts all prompts, in a stream, too, which has no event without content", async () => {
    const one = { prompt: "a b c", max_tokens: 4, ignore_eos: true };
    const single = await completion(await ask("/v1/completions", one));
    const two = { ...one, prompt: ["a b c", "a b c"] };
    const both = await completion(await ask("/v1/completions", two));
    const prompt_tokens = 2 * single.usage.prompt_tokens;
    expect(both.usage).toMatchObject({ prompt_tokens, completion_tokens: 8 });
    const more = { stream: true, stream_options: { include_usage: true } };
    const events = await chunks(await ask("/v1/completions", { ...two, ...more }));
    expect(events.every((event) => event !== null)).toBe(true);
    const counted = events.filter(({ usage }) => usage !== undefined);
    expect(counted).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 8 } });
  });

  test("a stream of several prompts can be read by the official client", async () => {
    const body = { model: "m", prompt: ["a", "b"], max_tokens: 2 };
    const stream = await openai(program).completions.create({ ...body, stream: true });
    const seen = new Set<number>();
    for await (const { choices } of stream) for (const { index } of choices) seen.add(index);
    expect([...seen].toSorted()).toEqual([0, 1]);
  });
});

describe("logprobs", () => {
  const question = says("Good morning in Japanese");

  test("have an entry for each token, with its own bytes", async () => {
    const more = { messages: question, logprobs: true, top_logprobs: 2, ignore_eos: true };
    const body = await completion(await chat({ ...more, temperature: 0, max_tokens: 8 }));
    const entries = body.choices[0]?.logprobs?.content ?? [];
    expect(entries).toHaveLength(8);
    const bytes = Buffer.from(entries.flatMap((entry) => entry.bytes)).toString();
    expect(bytes).toBe(body.choices[0]?.message.content ?? "");
    expect(entries.every(({ top_logprobs }) => top_logprobs.length === 2)).toBe(true);
    const stream = await chunks(
      await chat({ ...more, temperature: 0, max_tokens: 8, stream: true }),
    );
    const streamed = stream.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
    expect(streamed).toHaveLength(8);
  });

  test.each([{}, { top_logprobs: 0 }])("without alternatives have entries: %j", async (more) => {
    const body = await completion(await chat({ logprobs: true, max_tokens: 3, ...more }));
    const entries = body.choices[0]?.logprobs?.content ?? [];
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.every(({ top_logprobs }) => top_logprobs.length === 0)).toBe(true);
  });

  test("have at most 20 alternatives", async () => {
    const error = await errorOf(await chat({ logprobs: true, top_logprobs: 50 }));
    expect(error).toMatchObject({ status: 400, param: "top_logprobs" });
  });
});

describe("a history", () => {
  test.each(['{"a": "cut', "", '"text"'])("with the arguments %j goes on", async (text) => {
    const called = { id: "c1", type: "function", function: { name: "f", arguments: text } };
    const messages = [
      ...says("x"),
      { role: "assistant", content: null, tool_calls: [called] },
      { role: "tool", tool_call_id: null, content: "bad" },
      ...says("go on"),
    ];
    expect((await chat({ messages })).status).toBe(200);
    const item = { type: "function_call", call_id: "c1", name: "f", arguments: text };
    const output = { type: "function_call_output", call_id: "c1", output: "bad" };
    const input = [{ role: "user", content: "x" }, item, output];
    const response = await ask("/v1/responses", { input, max_output_tokens: 16 });
    expect(response.status).toBe(200);
  });

  test("may have half a character, and empty stops", async () => {
    const body = `{"model":"m","messages":[{"role":"user","content":"a\\ud83d"}],"max_tokens":4}`;
    const headers = { "content-type": "application/json" };
    const response = await fetch(program.url + CHAT, { method: "POST", body, headers });
    expect(response.status).toBe(200);
    const { choices } = await completion(await chat({ stop: ["", ""], temperature: 0 }));
    expect(choices[0]?.message.content.length).toBeGreaterThan(3);
  });
});

test.each(["--api-key", "--port", "--sleep-idle-seconds"])(
  "%s, which has no effect in an engine, is refused by name",
  async (name) => {
    using home = temporaryHome();
    const args = ["node", "--port", "0", "--model", `m=${GGUF}`, "--", name, "1"];
    const { code, stderr } = await runProgram(args, { home: home.path });
    expect(code).toBe(2);
    expect(stderr).toContain(`${name} is not possible here`);
  },
);
