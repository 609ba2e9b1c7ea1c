import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { chatOverAnthropic } from "../../../translation/provider/anthropic/translation.ts";
import { readServerEvents } from "../../serverevents.ts";
import { MODEL, request } from "../../translation/anthropicrequest.ts";
import { type AnthropicFault, anthropicServer } from "./server.ts";

const server = anthropicServer();
afterAll(() => server[Symbol.dispose]());
beforeEach(() => {
  server.faults = [];
  server.requests = [];
});

const clientWith = (options: object = {}) =>
  new Anthropic({ baseURL: server.url, apiKey: server.key, maxRetries: 0, ...options });
const client = clientWith();

const ask = {
  model: "claude-opus-5",
  max_tokens: 100,
  system: "Be brief.",
  messages: [{ role: "user" as const, content: "Hello there" }],
};
const tools = [
  { name: "weather", input_schema: { type: "object" as const } },
  { name: "time", input_schema: { type: "object" as const } },
];
const CALLS = 'weather({"city":"Oslo"}) and time({"zone":"CET"})';

describe("the imitated API, with the official client", () => {
  test("answers, in one piece and streamed alike", async () => {
    const whole = await client.messages.create(ask);
    expect(whole.content).toMatchObject([{ type: "text", text: "[Be brief.] Hello there" }]);
    expect(whole).toMatchObject({ stop_reason: "end_turn", role: "assistant" });
    const streamed = await client.messages.stream(ask).finalMessage();
    expect(streamed.content).toMatchObject(whole.content);
    expect(streamed.usage).toMatchObject({ output_tokens: whole.usage.output_tokens });
  });

  test("calls tools, several at once, and thinks", async () => {
    const body = { ...ask, tools, messages: [{ role: "user" as const, content: CALLS }] };
    const streamed = client.messages.stream({ ...body, thinking: { type: "adaptive" } });
    const { content, stop_reason } = await streamed.finalMessage();
    expect(stop_reason).toBe("tool_use");
    expect(content).toMatchObject([
      { type: "thinking", signature: expect.stringContaining("sig_") },
      { type: "tool_use", name: "weather", input: { city: "Oslo" } },
      { type: "tool_use", name: "time", input: { zone: "CET" } },
    ]);
  });

  test("counts tokens and lists models in pages", async () => {
    const { max_tokens: _, ...counted } = ask;
    expect((await client.messages.countTokens(counted)).input_tokens).toBeGreaterThan(10);
    const ids: string[] = [];
    for await (const { id } of client.models.list({ limit: 2 })) ids.push(id);
    expect(ids).toEqual(server.models);
    expect(server.requests.filter(({ path }) => path === "/v1/models")).toHaveLength(2);
  });

  test.each([
    [400, Anthropic.BadRequestError],
    [401, Anthropic.AuthenticationError],
    [403, Anthropic.PermissionDeniedError],
    [404, Anthropic.NotFoundError],
    [429, Anthropic.RateLimitError],
    [500, Anthropic.InternalServerError],
    [529, Anthropic.InternalServerError],
  ] as const)("fails with %d as the client knows it", async (status, kind) => {
    server.faults = [status];
    const error = await failureOf(client.messages.create(ask));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, requestID: expect.stringContaining("req_") });
  });

  test("says when to come back, and the client does", async () => {
    server.faults = [429];
    await clientWith({ maxRetries: 1 }).messages.create(ask);
    expect(server.requests).toHaveLength(2);
  });

  test.each(["overloaded", "cut"] satisfies AnthropicFault[])(
    "breaks off a stream: %s",
    async (fault) => {
      server.faults = [fault];
      const error = await failureOf(client.messages.stream(ask).finalMessage());
      expect(error).toBeInstanceOf(Anthropic.AnthropicError);
    },
  );

  test.each([
    ["a key", { apiKey: "wrong" }, ask, 401],
    ["a model", {}, { ...ask, model: "claude-0" }, 404],
    ["an unknown field", {}, { ...ask, seed: 1 }, 400],
    ["a limit of 0", {}, { ...ask, max_tokens: 0 }, 400],
    ["an empty text", {}, { ...ask, messages: [{ role: "user" as const, content: "" }] }, 400],
  ])("refuses %s", async (_, options, body, status) => {
    const error = await failureOf(clientWith(options).messages.create(body));
    expect(error).toMatchObject({ status });
  });
});

describe("a chat put to the imitated API", () => {
  const headers = { "x-api-key": server.key, "anthropic-version": "2023-06-01" };
  const send = (body: object, path = "/v1/messages") =>
    fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });

  test("is never refused for its form", async () => {
    server.models = [...server.models, MODEL];
    await fc.assert(
      fc.asyncProperty(request, async ({ chat }) => {
        const response = await send(chatOverAnthropic(chat).body);
        const text = await response.text();
        expect({ status: response.status, text }).toMatchObject({ status: 200 });
      }),
      { numRuns: 100 },
    );
  });

  test("comes back with its thoughts, calls and counts, streamed", async () => {
    const translation = chatOverAnthropic({
      model: "claude-opus-5",
      messages: [{ role: "user", content: CALLS }],
      tools: tools.map(({ name }) => ({ type: "function", function: { name } })),
      reasoning_effort: "low",
      stream: true,
      stream_options: { include_usage: true },
    });
    const response = await send(translation.body);
    const stream = translation.stream?.();
    let text = "";
    for await (const event of readServerEvents(response.body ?? new ReadableStream())) {
      text += stream?.push(event);
    }
    text += stream?.end();
    expect(text).toContain('"name":"weather"');
    expect(text).toContain('"finish_reason":"tool_calls"');
    expect(text).toContain('"reasoning_content":"The "');
    expect(text).toContain('"thinking_blocks":[{"type":"thinking","thinking":"The user says:');
    expect(text).toMatch(/"usage":\{"prompt_tokens":\d/);
    expect(text).toEndWith("data: [DONE]\n\n");
  });
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
