import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import type OpenAI from "openai";
import { allFrames, openai, post, says } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";
import { anthropicServer } from "../src/testkit/servers/anthropic/server.ts";
import { googleServer } from "../src/testkit/servers/google/server.ts";
import { openaiServer } from "../src/testkit/servers/openai.ts";

setDefaultTimeout(20_000);

const clouds = { openai: openaiServer(), google: googleServer(), anthropic: anthropicServer() };
const KEYS = Object.values(clouds).map(({ key }) => key);
/** A cloud of the operator's own, which speaks as OpenAI does. */
const own = openaiServer("own-key", "max_tokens");

const ENV = {
  OPENAI_API_KEY: clouds.openai.key,
  OPENAI_BASE_URL: `${clouds.openai.url}/v1`,
  GEMINI_API_KEY: clouds.google.key,
  GOOGLE_API_BASE_URL: clouds.google.url,
  ANTHROPIC_API_KEY: clouds.anthropic.key,
  ANTHROPIC_API_BASE_URL: clouds.anthropic.url,
};

let program: Program;
beforeAll(async () => {
  const address = own.url.replace("http://", `http://${own.key}@`);
  const rules = ["--fallback", "absent=openai:gpt-4o", "--fallback", "lost=own:gpt-4o"];
  const alias = ["--alias", "gpt=openai:gpt-4o"];
  const args = ["--provider", `own=${address}/v1`, ...rules, ...alias];
  program = await Program.start({ mode: "balancer", args, env: ENV, untilReady: false });
});
afterAll(async () => {
  await program?.stop();
  for (const server of [...Object.values(clouds), own]) server[Symbol.dispose]();
});
beforeEach(() => {
  clouds.openai.fault = "none";
  clouds.google.fault = "none";
});

const CHAT = "/v1/chat/completions";
const GPT = "openai:gpt-4o";
const GEMINI = "google:gemini-2.5-flash";
const CLAUDE = "anthropic:claude-haiku-4-5";

/** What each cloud answers to `hello`. */
const ECHOES: [string, string][] = [
  [GPT, "echo: hello"],
  ["own:gpt-4o", "echo: hello"],
  [GEMINI, "hello"],
  [CLAUDE, "hello"],
  ["ahtnorpic:claude-haiku-4-5", "hello"],
  ["gpt", "echo: hello"],
];

describe("chat completions with OpenAI's client", () => {
  test.each(ECHOES)("are answered by %s", async (model, text) => {
    const answer = await openai(program).chat.completions.create({
      model,
      messages: says("hello"),
    });
    expect(answer.model).toBe(model);
    expect(answer.choices[0]?.message.content).toBe(text);
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.usage?.total_tokens).toBeGreaterThan(0);
  });

  test.each(ECHOES)("are streamed by %s", async (model, text) => {
    const stream = openai(program).chat.completions.stream({
      ...{ model, messages: says("hello"), stream_options: { include_usage: true } },
    });
    expect(await stream.finalContent()).toBe(text);
    const { usage, model: named } = await stream.finalChatCompletion();
    expect(named).toBe(model);
    expect(usage?.prompt_tokens).toBeGreaterThan(0);
  });

  test("call tools of Google over two turns", async () => {
    const tools = [{ type: "function" as const, function: { name: "weather", parameters: {} } }];
    const client = openai(program).chat.completions;
    const messages: OpenAI.ChatCompletionMessageParam[] = says("call it");
    const first = await client.create({ model: GEMINI, messages, tools });
    const said = first.choices[0]?.message;
    const id = said?.tool_calls?.[0]?.id ?? "";
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    if (said === undefined) throw new Error("there is no message");
    messages.push(said, { role: "tool", tool_call_id: id, content: '{"degrees":7}' });
    const second = await client.create({ model: GEMINI, messages, tools });
    expect(second.choices[0]?.message.content).toBe('weather: {"degrees":7}');
  });
});

describe("other clients", () => {
  test.each([
    [GPT, "echo: hello"],
    [GEMINI, "hello"],
    [CLAUDE, "hello"],
  ])("Anthropic's is answered by %s, streamed or not", async (model, text) => {
    const client = new Anthropic({ baseURL: program.url, apiKey: "none", maxRetries: 0 });
    const request = { model, messages: says("hello"), max_tokens: 100 };
    const message = await client.messages.create(request);
    expect(message.content).toMatchObject([{ type: "text", text }]);
    expect(message.stop_reason).toBe("end_turn");
    expect(message.model).toBe(model);
    expect(await client.messages.stream(request).finalText()).toBe(text);
  });

  test.each([
    [GEMINI, "hello"],
    [CLAUDE, "hello"],
  ])("OpenAI's responses are answered by %s", async (model, text) => {
    const response = await openai(program).responses.create({ model, input: "hello" });
    expect(response.output_text).toBe(text);
    expect(response.status).toBe("completed");
  });

  test("embeddings are made by Google, in both forms", async () => {
    const client = openai(program).embeddings;
    const request = { model: "google:gemini-embedding-001", input: ["a", "b"], dimensions: 4 };
    const floats = await client.create({ ...request, encoding_format: "float" });
    const bytes = await client.create(request);
    expect(floats.data).toHaveLength(2);
    expect(floats.data[0]?.embedding).toHaveLength(4);
    const close = (at: number) => floats.data[0]?.embedding[at] ?? Number.NaN;
    expect(bytes.data[0]?.embedding[3]).toBeCloseTo(close(3), 5);
  });
});

describe("Ollama's client", () => {
  const client = () => new Ollama({ host: program.url });
  const options = { num_predict: 50, top_k: 40, num_ctx: 4096, repeat_penalty: 1.1 };

  test.each([
    [GPT, "echo: hello"],
    ["own:gpt-4o", "echo: hello"],
    [GEMINI, "hello"],
    [CLAUDE, "hello"],
  ])("is answered by %s, streamed or not", async (model, text) => {
    const request = { model, messages: says("hello"), options, keep_alive: "5m", think: true };
    const { message, done, ...rest } = await client().chat(request);
    expect([message.content, done, rest.model]).toEqual([text, true, model]);
    expect(rest.eval_count).toBeGreaterThan(0);
    const pieces = [];
    for await (const piece of await client().chat({ ...request, stream: true })) pieces.push(piece);
    expect(pieces.map((piece) => piece.message.content).join("")).toBe(text);
    expect(pieces.at(-1)).toMatchObject({ done: true, done_reason: "stop" });
    const { response } = await client().generate({ model, prompt: "hello", options });
    expect(response).toBe(text);
  });

  test("gets embeddings of OpenAI and Google", async () => {
    const keep_alive = "5m";
    const openai = { model: "openai:text-embedding-3-small", input: "a", keep_alive };
    expect((await client().embed(openai)).embeddings).toEqual([[0.5, -0.5]]);
    const google = { model: "google:gemini-embedding-001", input: ["a", "b"], keep_alive };
    expect((await client().embed(google)).embeddings).toHaveLength(2);
  });

  test("that loads a model is answered without asking the cloud", async () => {
    clouds.openai.requests.length = 0;
    const loaded = await client().generate({ model: GPT, prompt: "", keep_alive: "5m" });
    expect(loaded).toMatchObject({ model: GPT, response: "", done: true, done_reason: "load" });
    expect(clouds.openai.requests).toEqual([]);
  });
});

test("tokens are counted by whom can, else estimated", async () => {
  const client = new Anthropic({ baseURL: program.url, apiKey: "none", maxRetries: 0 });
  const messages = says("hello there, how are you today?");
  for (const model of [GPT, GEMINI, CLAUDE]) {
    const { input_tokens } = await client.messages.countTokens({ model, messages });
    expect(input_tokens).toBeGreaterThan(5);
    expect(input_tokens).toBeLessThan(100);
  }
});

describe("a cloud is reached", () => {
  test("only by its prefix", async () => {
    const asked = () => {
      const { openai, google, anthropic } = clouds;
      return [openai, google, anthropic, own].map(({ requests }) => requests.length);
    };
    const before = asked();
    for (const model of ["gpt-4o", "openai:", "OpenAI:gpt-4o", "google", "gemini-2.5-flash"]) {
      const response = await post(program.url + CHAT, { model, messages: says("x") });
      // This balancer has no endpoint at all.
      expect(response.status).toBe(503);
    }
    expect(asked()).toEqual(before);
  });

  test.each([
    ["absent", "openai"],
    ["lost", "own"],
  ] as const)("or by a rule of the operator: %s by %s", async (model) => {
    const answer = await openai(program).chat.completions.create({
      model,
      messages: says("hello"),
    });
    expect(answer.choices[0]?.message.content).toBe("echo: hello");
    expect(answer.model).toBe(model);
  });

  test("with nothing of the client's but the request", async () => {
    clouds.anthropic.requests.length = 0;
    const headers = {
      authorization: "Bearer sk-client",
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
    };
    await post(program.url + CHAT, { model: CLAUDE, messages: says("x") }, { headers });
    const sent = clouds.anthropic.requests[0]?.headers;
    expect(sent?.get("x-api-key")).toBe(clouds.anthropic.key);
    for (const name of Object.keys(headers)) expect(sent?.get(name) ?? null).toBeNull();
  });
});

describe("errors", () => {
  const failure = async (model: string, path = CHAT, more: object = {}) => {
    const response = await post(program.url + path, { model, messages: says("x"), ...more });
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    return { status: response.status, error, headers: response.headers };
  };

  test("of Google come in OpenAI's shape, with what it says of waiting", async () => {
    clouds.google.fault = "exhausted";
    const { status, error, headers } = await failure(GEMINI);
    expect(status).toBe(429);
    expect(error).toMatchObject({
      message: expect.stringContaining("You exceeded your current quota."),
      type: "rate_limit_error",
      code: "resource_exhausted",
      param: null,
    });
    expect(headers.get("retry-after")).toBe("17");
  });

  test("of Anthropic come in OpenAI's shape", async () => {
    clouds.anthropic.faults.push(400);
    const { status, error } = await failure(CLAUDE);
    expect([status, error.type]).toEqual([400, "invalid_request_error"]);
    expect(error.message).toContain("prompt is too long");
  });

  test.each([CHAT, "/v1/messages", "/v1/embeddings", "/api/chat"])(
    "of the balancer's own key are not the client's: %s",
    async (path) => {
      clouds.openai.fault = "key";
      const more = { max_tokens: 5, input: "a" };
      const body = { model: GPT, messages: says("x"), ...more };
      const response = await post(program.url + path, body);
      expect(response.status).toBe(502);
      expect(response.headers.get("x-should-retry")).toBe("false");
      const text = await response.text();
      expect(text).toContain("OPENAI_API_KEY");
      for (const key of KEYS) expect(text).not.toContain(key);
      const counts = await (await fetch(`${program.url}/metrics`)).text();
      expect(counts).toMatch(/cloud_requests_total\{provider="openai",status="401"\} \d+/);
    },
  );

  test("of OpenAI come as they are", async () => {
    clouds.openai.fault = "quota";
    const { status, error } = await failure(GPT);
    expect([status, error.code]).toEqual([429, "insufficient_quota"]);
  });

  test("name a model that there is not", async () => {
    expect((await failure("google:gemini-9")).status).toBe(404);
    expect((await failure("openai:gpt-9")).error.code).toBe("model_not_found");
  });

  test("name what a cloud cannot do", async () => {
    const { status, error } = await failure(CLAUDE, "/v1/embeddings", { input: "a" });
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: "model_capability_mismatch", param: "model" });
    expect(error.message).toContain(CLAUDE);
  });

  test.each(["cut", "broken"] as const)("end a stream of Google that is %s", async (fault) => {
    clouds.google.fault = fault;
    const body = { model: GEMINI, messages: says("hello"), stream: true };
    const frames = await allFrames(await post(program.url + CHAT, body));
    expect(frames.at(-1)?.json).toHaveProperty("error.message");
    expect(frames.map(({ data }) => data)).not.toContain("[DONE]");
  });

  test("of a missing key are a 401 that names it", async () => {
    const bare = await Program.start({
      mode: "balancer",
      untilReady: false,
      env: { OPENAI_API_KEY: "", GOOGLE_API_KEY: "", GEMINI_API_KEY: "", ANTHROPIC_API_KEY: "" },
    });
    try {
      for (const [model, name] of [
        [GPT, "OPENAI_API_KEY"],
        [GEMINI, "GOOGLE_API_KEY"],
        [CLAUDE, "ANTHROPIC_API_KEY"],
      ]) {
        const response = await post(bare.url + CHAT, { model, messages: says("x") });
        expect(response.status).toBe(401);
        const text = await response.text();
        expect(text).toContain(`${name} is required for ${model?.split(":")[0]}: models`);
        expect(text).toContain('"code":"provider_key_missing"');
      }
    } finally {
      await bare.stop();
    }
  });
});

describe("what is told of clouds", () => {
  test.each(["/api/metrics/cloud", "/v0/metrics/cloud"])("counts at %s", async (path) => {
    await post(program.url + CHAT, { model: GEMINI, messages: says("x") });
    const text = await (await fetch(program.url + path)).text();
    expect(text).toMatch(/cloud_requests_total\{provider="google",status="200"\} \d+/);
    expect(text).toMatch(/cloud_request_latency_seconds_count\{provider="google"\} \d+/);
    for (const key of [...KEYS, own.key]) expect(text).not.toContain(key);
  });
});
