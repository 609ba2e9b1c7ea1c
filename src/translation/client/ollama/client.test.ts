import { expect, test } from "bun:test";
import { Ollama } from "ollama";
import { until } from "../../../testkit/eventually.ts";
import {
  chunksOf,
  completion,
  type TranslatedCall,
  translatingServer,
  USAGE,
} from "../../../testkit/servers/translating.ts";
import { failureOf } from "../../../testkit/state.ts";
import { ollamaEmbeddingsOverEmbeddings, ollamaEmbedOverEmbeddings } from "./embeddings.ts";
import { ollamaGenerateOverChat } from "./generate.ts";
import { ollamaChatOverChat } from "./translation.ts";

const ROUTES = {
  "/api/chat": ollamaChatOverChat,
  "/api/generate": ollamaGenerateOverChat,
  "/api/embed": ollamaEmbedOverEmbeddings,
  "/api/embeddings": ollamaEmbeddingsOverEmbeddings,
};

/** The official client in front of an endpoint that a test plays. */
function clientOf(endpoint: Parameters<typeof translatingServer>[1]) {
  const front = translatingServer(ROUTES, endpoint);
  const client = new Ollama({ host: front.url });
  return { client, front, [Symbol.dispose]: () => front[Symbol.dispose]() };
}

const messages = [{ role: "user", content: "weather?" }];

test("the official client chats, streamed and not, and with images", async () => {
  const said = { reasoning_content: "hm", content: "Hi" };
  using served = clientOf(({ body }) =>
    body.stream === true
      ? { events: chunksOf([{ reasoning_content: "hm" }, { content: "Hi" }], { usage: USAGE }) }
      : { json: completion(said, "stop", { usage: USAGE }) },
  );
  const { client, front } = served;
  const whole = await client.chat({ model: "m", messages });
  expect(whole).toMatchObject({ message: { content: "Hi", thinking: "hm" }, eval_count: 5 });
  const image = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const stream = await client.chat({
    ...{ model: "m", stream: true },
    messages: [{ role: "user", content: "see", images: [image] }],
  });
  const parts = await Array.fromAsync(stream);
  expect(parts.map(({ message }) => message.content).join("")).toBe("Hi");
  expect(parts.at(-1)).toMatchObject({ done: true, done_reason: "stop", prompt_eval_count: 7 });
  expect(JSON.stringify(front.asked[1]?.body)).toContain("data:image/png;base64,iVBORw0KGgo=");
});

test("the official client calls tools over several turns", async () => {
  const called = {
    tool_calls: [{ id: "c", function: { name: "weather", arguments: '{"city":"Rome"}' } }],
  };
  using served = clientOf(({ body }) => ({
    json: completion((body.messages as object[]).length === 1 ? called : { content: "sunny" }),
  }));
  const { client, front } = served;
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const first = await client.chat({ model: "m", messages, tools });
  const [call] = first.message.tool_calls ?? [];
  expect(call?.function).toMatchObject({ name: "weather", arguments: { city: "Rome" } });
  const result = { role: "tool", tool_name: "weather", content: "25 °C" };
  const second = await client.chat({
    ...{ model: "m", tools, messages: [...messages, first.message, result] },
  });
  expect(second.message.content).toBe("sunny");
  expect(front.asked[1]?.body.messages).toMatchObject([
    { role: "user" },
    { role: "assistant", tool_calls: [{ id: "c" }] },
    { role: "tool", tool_call_id: "c", content: "25 °C" },
  ]);
});

test("the official client generates, raw and not, and embeds", async () => {
  using served = clientOf(({ path }: TranslatedCall) => {
    if (path === "/v1/embeddings") return { json: { data: [{ index: 0, embedding: [1, 2] }] } };
    if (path === "/v1/completions") return { json: { choices: [{ text: "raw" }] } };
    return { json: completion({ content: '{"a":1}' }) };
  });
  const { client } = served;
  const format = { type: "object", properties: { a: { type: "number" } } };
  const made = await client.generate({ model: "m", prompt: "p", format });
  expect(JSON.parse(made.response ?? "")).toEqual({ a: 1 });
  expect(await client.generate({ model: "m", prompt: "p", raw: true })).toMatchObject({
    response: "raw",
  });
  expect((await client.embed({ model: "m", input: "a" })).embeddings).toEqual([[1, 2]]);
  expect((await client.embeddings({ model: "m", prompt: "a" })).embedding).toEqual([1, 2]);
});

test("the official client throws at what is refused and at a stream that breaks", async () => {
  using served = clientOf(() => ({ events: chunksOf([{ content: "Hi" }]).slice(0, 1) }));
  const { client } = served;
  const refused = client.generate({ model: "m", prompt: "p", suffix: "s" });
  expect(await failureOf(refused)).toContain("`suffix`");
  const stream = await client.chat({ model: "m", messages, stream: true });
  expect(await failureOf(Array.fromAsync(stream))).toContain("broke off");
});

test("a client that aborts ends the stream", async () => {
  const hold = Promise.withResolvers<void>();
  const events = chunksOf([{ content: "a" }, { content: "b" }]);
  using served = clientOf(() => ({ events, hold: hold.promise }));
  const { client, front } = served;
  const stream = await client.chat({ model: "m", messages, stream: true });
  const seen = (async () => {
    for await (const _ of stream) stream.abort();
  })();
  expect(await failureOf(seen)).toContain("abort");
  await until(() => front.left > 0, 15_000);
  hold.resolve();
  expect(front.left).toBe(1);
});
