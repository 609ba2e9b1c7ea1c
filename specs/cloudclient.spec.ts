import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { says } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { anthropicServer } from "../src/testkit/servers/anthropic/server.ts";
import { googleServer } from "../src/testkit/servers/google/server.ts";
import { openaiServer } from "../src/testkit/servers/openai.ts";

setDefaultTimeout(20_000);

const clouds = { anthropic: anthropicServer(), google: googleServer() };
/** A cloud of the operator's own whose list cannot be had. */
const broken = openaiServer("own-key", "max_tokens");

let program: Program;
beforeAll(async () => {
  broken.fault = "500";
  const address = broken.url.replace("http://", `http://${broken.key}@`);
  program = await Program.start({
    ...{ mode: "balancer", untilReady: false, args: ["--provider", `broken=${address}/v1`] },
    env: {
      ANTHROPIC_API_KEY: clouds.anthropic.key,
      ANTHROPIC_API_BASE_URL: clouds.anthropic.url,
      GEMINI_API_KEY: clouds.google.key,
      GOOGLE_API_BASE_URL: clouds.google.url,
      OPENAI_API_KEY: "",
    },
  });
});
afterAll(async () => {
  await program?.stop();
  for (const server of [...Object.values(clouds), broken]) server[Symbol.dispose]();
});
beforeEach(() => {
  clouds.anthropic.requests.length = 0;
  clouds.anthropic.faults.length = 0;
});

const CLAUDE = "anthropic:claude-haiku-4-5";
const GEMINI = "google:gemini-2.5-flash";
const PNG = readFileSync(new URL("../fixtures/images/shape.png", import.meta.url), "base64");

const anthropic = (maxRetries = 0) =>
  new Anthropic({ baseURL: program.url, apiKey: "none", authToken: null, maxRetries });
const openai = (maxRetries = 0) =>
  new OpenAI({ baseURL: `${program.url}/v1`, apiKey: "none", maxRetries });

describe("Anthropic's client at Anthropic's cloud", () => {
  const usual = { model: CLAUDE, max_tokens: 4096 };
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };

  test("sends what it sends, but for the prefix and the key", async () => {
    const cache_control = { type: "ephemeral" as const };
    const request = {
      ...usual,
      system: [{ type: "text" as const, text: "Be brief.", cache_control }],
      messages: says("hello"),
      metadata: { user_id: "u1" },
      stop_sequences: ["nothing"],
    };
    const message = await anthropic().messages.create(request);
    expect(clouds.anthropic.requests[0]?.body).toEqual({ ...request, model: "claude-haiku-4-5" });
    expect(message.content).toMatchObject([{ type: "text", text: "[Be brief.] hello" }]);
    expect(message.usage.cache_read_input_tokens).toBe(7);
    expect(message.model).toBe(CLAUDE);
    // Anthropic's own id, by which it can be asked about the request.
    expect(message._request_id ?? "").toMatch(/^req_01/);
  });

  test.each([false, true])(
    "thinks, signs it, and knows it again (streamed: %p)",
    async (stream) => {
      const talk = async (messages: Anthropic.MessageParam[]) => {
        const request = { ...usual, thinking, messages };
        if (!stream) return anthropic().messages.create(request);
        return anthropic().messages.stream(request).finalMessage();
      };
      const messages: Anthropic.MessageParam[] = says("hello");
      const { content } = await talk(messages);
      expect(content.map(({ type }) => type)).toEqual(["thinking", "text"]);
      const [thought] = content.filter((block) => block.type === "thinking");
      expect(thought?.signature).toMatch(/.+/);
      messages.push({ role: "assistant", content }, ...says("again"));
      expect((await talk(messages)).content.at(-1)).toMatchObject({ text: "again" });
    },
  );

  test("streams the calls of tools", async () => {
    const input_schema = { type: "object" as const, properties: {} };
    const tools = [{ name: "weather", input_schema }];
    const messages = says('weather({"city":"Oslo"}) weather({"city":"Lima"})');
    const message = await anthropic()
      .messages.stream({ ...usual, tools, messages })
      .finalMessage();
    expect(message.stop_reason).toBe("tool_use");
    expect(message.content).toMatchObject([
      { type: "tool_use", name: "weather", input: { city: "Oslo" } },
      { type: "tool_use", name: "weather", input: { city: "Lima" } },
    ]);
  });

  test.each([429, 529] as const)("asks again after a %d", async (status) => {
    clouds.anthropic.faults.push(status);
    const message = await anthropic(2).messages.create({ ...usual, messages: says("hello") });
    expect(message.content).toMatchObject([{ text: "hello" }]);
    expect(clouds.anthropic.requests).toHaveLength(2);
  });

  test("gets the cloud's errors as its own classes", async () => {
    const request = { ...usual, messages: says("hello") };
    const kinds = { 400: Anthropic.BadRequestError, 429: Anthropic.RateLimitError } as const;
    for (const [status, kind] of Object.entries(kinds)) {
      clouds.anthropic.faults.push(Number(status) as keyof typeof kinds);
      const error = await errorOf(anthropic().messages.create(request));
      expect(error).toBeInstanceOf(kind);
    }
    clouds.anthropic.faults.push("overloaded");
    const error = await errorOf(anthropic().messages.stream(request).finalMessage());
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error.message).toContain("overloaded_error");
  });
});

describe("OpenAI's client at Anthropic's cloud", () => {
  const chats = () => openai().chat.completions;
  const weather = {
    type: "function" as const,
    function: { name: "weather", parameters: { type: "object", properties: {} } },
  };

  test("is told what the system is", async () => {
    const system = { role: "system" as const, content: "Be brief." };
    const { choices } = await chats().create({
      ...{ model: CLAUDE, messages: [system, ...says("hello")] },
    });
    expect(choices[0]?.message.content).toBe("[Be brief.] hello");
  });

  test.each([false, true])("calls tools over two turns (streamed: %p)", async (stream) => {
    const talk = async (messages: OpenAI.ChatCompletionMessageParam[]) => {
      const request = { model: CLAUDE, messages, tools: [weather] };
      const answer = stream
        ? await chats().stream(request).finalChatCompletion()
        : await chats().create(request);
      const [choice] = answer.choices;
      if (choice === undefined) throw new Error("there is no choice");
      return choice;
    };
    const messages: OpenAI.ChatCompletionMessageParam[] = says(
      'weather({"city":"Oslo"}) weather({"city":"Lima"})',
    );
    const { message, finish_reason } = await talk(messages);
    expect(finish_reason).toBe("tool_calls");
    const calls = (message.tool_calls ?? []).filter((call) => call.type === "function");
    expect(calls.map((call) => JSON.parse(call.function.arguments))).toEqual([
      { city: "Oslo" },
      { city: "Lima" },
    ]);
    const results = calls.map(({ id }, at) => {
      return { role: "tool" as const, tool_call_id: id, content: `${at} degrees` };
    });
    const last = await talk([...messages, message, ...results]);
    expect(last.message.content).toBe("(result 0 degrees) (result 1 degrees)");
    expect(last.finish_reason).toBe("stop");
  });

  test.each([
    [CLAUDE, "(image image/png) What is it?"],
    [GEMINI, "[image/png] What is it?"],
  ])("shows images, to %s", async (model, text) => {
    const { choices } = await chats().create({ model, messages: asking() });
    expect(choices[0]?.message.content).toBe(text);
  });

  function asking(): OpenAI.ChatCompletionMessageParam[] {
    const image_url = { url: `data:image/png;base64,${PNG}` };
    const content = [
      { type: "image_url" as const, image_url },
      { type: "text" as const, text: "What is it?" },
    ];
    return [{ role: "user", content }];
  }

  test.each([CLAUDE, GEMINI])("gets the form of its schema, from %s", async (model) => {
    const form = z.object({ answer: z.string() });
    const response_format = zodResponseFormat(form, "answer");
    const request = { model, messages: says("hello"), response_format };
    const { choices } = await chats().parse(request);
    expect(choices[0]?.message.parsed).toEqual({ answer: "hello" });
  });

  test("ends for the cloud's reasons", async () => {
    const reason = async (text: string, more: object = {}) => {
      const { choices } = await chats().create({ model: CLAUDE, messages: says(text), ...more });
      return [choices[0]?.finish_reason, choices[0]?.message.content];
    };
    expect(await reason("one two three", { max_tokens: 2 })).toEqual(["length", "one two "]);
    expect(await reason("one two three", { stop: "two" })).toEqual(["stop", "one "]);
    expect((await reason("[refuse]"))[0]).toBe("content_filter");
  });

  test("gets usage in a stream only if it asks for it", async () => {
    for (const include_usage of [false, true]) {
      const stream = await chats().create({
        ...{ model: CLAUDE, messages: says("hello"), stream: true },
        stream_options: { include_usage },
      });
      const usages = (await Array.fromAsync(stream)).flatMap(({ usage }) => usage ?? []);
      expect(usages.length).toBe(include_usage ? 1 : 0);
    }
  });

  test("asks again after a 429, and is told of other errors", async () => {
    const request = { model: CLAUDE, messages: says("hello") };
    clouds.anthropic.faults.push(429);
    const { choices } = await openai(2).chat.completions.create(request);
    expect(choices[0]?.message.content).toBe("hello");
    expect(clouds.anthropic.requests).toHaveLength(2);
    clouds.anthropic.faults.push(404);
    expect(await errorOf(chats().create(request))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await errorOf(chats().create({ ...request, n: 2 }))).toMatchObject({ param: "n" });
  });

  test.each(["overloaded", "cut"] as const)("sees that a stream is %s", async (fault) => {
    clouds.anthropic.faults.push(fault);
    const stream = chats().stream({ model: CLAUDE, messages: says("one two three four five") });
    expect(await errorOf(stream.finalContent())).toBeInstanceOf(OpenAI.APIError);
  });

  test("that gives up a stream lets the cloud know", async () => {
    clouds.anthropic.faults.push("stall");
    const before = clouds.anthropic.left;
    const stream = chats().stream({ model: CLAUDE, messages: says("one two three four five") });
    stream.on("content", () => stream.abort());
    expect(await errorOf(stream.done())).toBeInstanceOf(OpenAI.APIUserAbortError);
    await eventually(() => clouds.anthropic.left > before || undefined);
  });
});

test("models of all clouds are listed, though the list of one cannot be had", async () => {
  const ids = (await Array.fromAsync(openai().models.list())).map(({ id }) => id);
  expect(ids).toContain(CLAUDE);
  expect(ids).toContain(GEMINI);
  expect(ids.filter((id) => /^(broken|openai):/.test(id))).toEqual([]);
  expect((await openai().models.retrieve(CLAUDE)).owned_by).toBe("anthropic");
  expect((await Array.fromAsync(anthropic().models.list())).map(({ id }) => id)).toEqual(ids);
});

async function errorOf(work: Promise<unknown>): Promise<Error> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Error) return thrown;
  throw new Error(`it did not fail: ${thrown}`);
}
