import { afterAll, beforeAll, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { chunksOf, completion, USAGE } from "../../testkit/servers/translating.ts";

/** An endpoint that knows chats only, and answers whole and in streams as it likes. */
let streams = false;
const endpoint = fakeEndpoint(["m"], () => {
  if (!streams) return Response.json(completion({ content: "Hello" }, "stop", { usage: USAGE }));
  const events = chunksOf([{ content: "Hello" }], { usage: USAGE });
  const text = events.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  const body = text.map((data) => `data: ${data}\n\n`).join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
});
let front: Awaited<ReturnType<typeof fakeBalancer>>;
beforeAll(async () => {
  front = await fakeBalancer({ a: endpoint.url });
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

const messages = [{ role: "user" as const, content: "x" }];

test("an endpoint that ignores `stream` streams to clients of other APIs", async () => {
  streams = false;
  const options = { apiKey: "none", maxRetries: 0 };
  const openai = new OpenAI({ ...options, baseURL: `${front.url}/v1` });
  const response = await openai.responses.stream({ model: "m", input: "x" }).finalResponse();
  expect([response.output_text, response.status]).toEqual(["Hello", "completed"]);
  const anthropic = new Anthropic({ ...options, baseURL: front.url });
  const stream = anthropic.messages.stream({ model: "m", messages, max_tokens: 5 });
  const message = await stream.finalMessage();
  expect(message.content).toMatchObject([{ type: "text", text: "Hello" }]);
  expect(message.usage.output_tokens).toBe(5);
});

test("streams that nobody asked for are answers in one piece, of all APIs", async () => {
  streams = true;
  for (const [path, body] of [
    ["/v1/chat/completions", { messages }],
    ["/v1/responses", { input: "x" }],
    ["/v1/messages", { messages, max_tokens: 5 }],
    ["/api/chat", { messages, stream: false }],
  ] as const) {
    const answer = await front.post(path, { model: "m", ...body });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(JSON.stringify(await answer.json())).toContain('"Hello"');
  }
  expect(front.balancer.drain.active).toBe(0);
});

test("usage that is asked for in every event stays there", async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
  const event = (content: string) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }], usage })}\n\n`;
  const text = `${event("a")}${event("b")}data: [DONE]\n\n`;
  const headers = { "content-type": "text/event-stream" };
  using telling = fakeEndpoint(["n"], () => new Response(text, { headers }));
  await using other = await fakeBalancer({ a: telling.url });
  const read = async (stream_options: object) => {
    const body = { model: "n", messages, stream: true, stream_options };
    return (await other.post("/v1/chat/completions", body)).text();
  };
  expect(await read({ include_usage: true, continuous_usage_stats: true })).toBe(text);
  const once = await read({ include_usage: true });
  expect(once.match(/"usage":null/g)).toHaveLength(2);
  expect(once.match(/"prompt_tokens":3/g)).toHaveLength(1);
});
