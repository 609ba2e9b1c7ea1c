import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { routeAt } from "../../testkit/route.ts";
import type { GoogleFault } from "../../testkit/servers/google/answer.ts";
import { googleServer } from "../../testkit/servers/google/server.ts";
import type { ChatCompletion } from "../../wire/chat.ts";
import { EventReader } from "../../wire/sse.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import { GOOGLE } from "./google.ts";
import { ProviderModel } from "./model.ts";
import { Provider } from "./provider.ts";

const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const RESPONSES = "/v1/responses";

const server = googleServer();
afterAll(() => server[Symbol.dispose]());
beforeEach(() => {
  server.fault = "none";
  server.requests.length = 0;
});

const provider = new Provider({
  name: "google",
  api: GOOGLE.api,
  url: server.url,
  apiKey: server.key,
});

/** Puts a request for one of our paths to the stand-in for Google. */
async function ask(path: string, request: object, model = "gemini-2.5-flash"): Promise<Asked> {
  const cloud = new ProviderModel(provider, model);
  const support = cloud.supportOf(routeAt(path));
  if (support === "native") throw new Error("it is not translated");
  const translation = support({ model: `google:${model}`, ...request }, cloud.modelName());
  const target = cloud.target(translation.path);
  const response = await fetch(target.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...target.headers },
    body: JSON.stringify(translation.body),
  });
  if (!response.ok) return { status: response.status, json: await response.json(), text: "" };
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream) {
    return { status: 200, json: translation.answer(await response.json()), text: "" };
  }
  const stream = translation.stream?.();
  const reader = new EventReader();
  const events = [...reader.push(await response.bytes()), ...reader.end()];
  const text = events.map((event) => stream?.push(event)).join("") + stream?.end();
  return { status: 200, json: undefined, text };
}

interface Asked {
  status: number;
  /** The client's answer, or Google's error. */
  json: unknown;
  /** The client's stream. */
  text: string;
}

const user = (content: unknown) => [{ role: "user", content }];

describe("chat completions at Google", () => {
  test("hear the system, text and images", async () => {
    const content = [
      { type: "text", text: "what?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      { type: "image_url", image_url: { url: "https://example.com/a.webp" } },
    ];
    const messages = [{ role: "system", content: "Be brief." }, ...user(content)];
    const { json } = await ask(CHAT, { messages });
    expect((json as ChatCompletion).choices[0]).toMatchObject({
      message: { content: "Be brief. what? [image/png] [https://example.com/a.webp]" },
      finish_reason: "stop",
    });
  });

  test.each(["gemini-2.5-flash", "gemini-3-pro-preview"])(
    "call tools over several turns with %s",
    async (model) => {
      const tools = ["f", "g"].map((name) => ({ type: "function", function: { name } }));
      const first = await ask(CHAT, { messages: user("call them"), tools }, model);
      const choice = (first.json as ChatCompletion).choices[0];
      expect(choice?.finish_reason).toBe("tool_calls");
      const calls = choice?.message.tool_calls ?? [];
      expect(calls.map((call) => call.function.name)).toEqual(["f", "g"]);
      const answers = calls.map(({ id }, at) => ({
        role: "tool",
        tool_call_id: id,
        content: at === 0 ? '{"n":1}' : "sunny",
      }));
      // Clients of OpenAI may drop what they do not know: signatures.
      const bare = calls.map((call) => ({ id: call.id, type: call.type, function: call.function }));
      for (const tool_calls of [calls, bare]) {
        const said = { role: "assistant", content: null, tool_calls };
        const messages = [...user("call them"), said, ...answers];
        const { json } = await ask(CHAT, { messages, tools }, model);
        const content = 'f: {"n":1}; g: {"output":"sunny"}';
        expect((json as ChatCompletion).choices[0]?.message.content).toBe(content);
      }
    },
  );

  test("stream what they say, thoughts and calls included", async () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const request = {
      messages: user("hello"),
      tools,
      stream: true,
      stream_options: { include_usage: true },
      reasoning_effort: "low",
    };
    const said = await ask(CHAT, request);
    expect(said.text).toContain('"reasoning_content":"Let me "');
    expect(said.text).toContain('"delta":{"content":"hel"}');
    expect(said.text).toContain('"finish_reason":"stop"');
    expect(said.text).toContain('"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":8');
    expect(said.text).toEndWith("data: [DONE]\n\n");
    const called = await ask(CHAT, { ...request, tool_choice: "required" });
    expect(called.text).toContain('"finish_reason":"tool_calls"');
    expect(called.text).toContain('"arguments":"{\\"text\\":\\"hello\\"}"');
  });

  test("end with an error when the stream is cut or breaks", async () => {
    const faults: GoogleFault[] = ["cut", "broken"];
    for (const fault of faults) {
      server.fault = fault;
      const { text } = await ask(CHAT, { messages: user("hello"), stream: true });
      expect(text).toContain('"delta":{"role":"assistant","content":"hel"}');
      expect(text).toContain('data: {"error":{"message":');
      expect(text).not.toContain("[DONE]");
    }
  });

  test("are refused where Google blocks them", async () => {
    server.fault = "blocked";
    const { json } = await ask(CHAT, { messages: user("bad") });
    expect((json as ChatCompletion).choices[0]?.finish_reason).toBe("content_filter");
    server.fault = "unsafe";
    const { text } = await ask(CHAT, { messages: user("bad"), stream: true });
    expect(text).toContain('"finish_reason":"content_filter"');
  });

  const failures: [GoogleFault, number, string, object][] = [
    ["invalid", 400, "invalid_request", {}],
    ["forbidden", 403, "forbidden", {}],
    ["exhausted", 429, "rate_limited", { retryAfterS: 17 }],
    ["unavailable", 503, "unavailable", {}],
  ];
  test.each(failures)("fail as Google does: %s", async (fault, status, kind, more) => {
    server.fault = fault;
    const got = await ask(CHAT, { messages: user("x") });
    expect(got.status).toBe(status);
    expect(readUpstreamError(got.status, got.json)).toMatchObject({ kind: kind as never, ...more });
  });

  test("of a model that there is not are a 404", async () => {
    const { status, json } = await ask(CHAT, { messages: user("x") }, "gemini-9");
    expect(readUpstreamError(status, json)).toMatchObject({ kind: "not_found" });
  });
});

describe("other APIs at Google", () => {
  test("messages are answered as Anthropic would", async () => {
    const request = { system: "S", messages: user("hello"), max_tokens: 50 };
    const { json } = await ask(MESSAGES, request);
    expect(json).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "S hello" }],
      stop_reason: "end_turn",
      usage: { output_tokens: 8 },
    });
  });

  test("messages stream as Anthropic's do, calls included", async () => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    const request = { tools, messages: user("call it"), max_tokens: 50, stream: true };
    const { text } = await ask(MESSAGES, request);
    expect(text).toStartWith("event: message_start\n");
    expect(text).toContain('"type":"tool_use"');
    expect(text).toContain('"stop_reason":"tool_use"');
    expect(text.trimEnd()).toEndWith('data: {"type":"message_stop"}');
  });

  test("messages whose stream is cut do not look finished", async () => {
    server.fault = "cut";
    const request = { messages: user("hello"), max_tokens: 50, stream: true };
    const { text } = await ask(MESSAGES, request);
    expect(text).toContain("event: error\n");
    expect(text).not.toContain("message_stop");
    expect(text.split("event: error")).toHaveLength(2);
  });

  test("responses are answered and streamed as OpenAI would", async () => {
    const { json } = await ask(RESPONSES, { input: "hello", instructions: "S" });
    expect(json).toMatchObject({ object: "response", status: "completed" });
    expect(JSON.stringify(json)).toContain('"text":"S hello"');
    const { text } = await ask(RESPONSES, { input: "hello", stream: true });
    expect(text).toContain("event: response.created\n");
    expect(text).toContain("event: response.completed\n");
    server.fault = "broken";
    const broken = await ask(RESPONSES, { input: "hello", stream: true });
    expect(broken.text).not.toContain("response.completed");
    expect(broken.text).toContain("overloaded");
  });

  test("tokens are counted, those of the system and of tools too", async () => {
    const count = async (more: object) => {
      const path = "/v1/messages/count_tokens";
      const { status, json } = await ask(path, { messages: user("hello"), ...more });
      expect(status).toBe(200);
      return (json as { input_tokens: number }).input_tokens;
    };
    const least = await count({});
    expect(least).toBeGreaterThan(0);
    expect(await count({ system: "Be brief." })).toBeGreaterThan(least);
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    expect(await count({ tools })).toBeGreaterThan(least);
  });

  test("embeddings are made", async () => {
    const request = { input: ["a", "b"], dimensions: 3 };
    const { json } = await ask("/v1/embeddings", request, "gemini-embedding-001");
    expect(json).toMatchObject({ object: "list", model: "google:gemini-embedding-001" });
    const { data } = json as { data: { embedding: number[] }[] };
    expect(data.map(({ embedding }) => embedding.length)).toEqual([3, 3]);
    expect(data[0]?.embedding).not.toEqual(data[1]?.embedding ?? []);
  });
});
