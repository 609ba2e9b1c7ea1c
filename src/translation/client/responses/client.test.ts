import { expect, test } from "bun:test";
import OpenAI from "openai";
import { until } from "../../../testkit/eventually.ts";
import {
  chunksOf,
  completion,
  type FakeAnswer,
  translatingServer,
  USAGE,
} from "../../../testkit/servers/translating.ts";
import { failureOf } from "../../../testkit/state.ts";
import { responsesOverChat } from "./translation.ts";

/** The official client in front of an endpoint that gives one answer. */
function clientOf(answer: FakeAnswer) {
  const front = translatingServer({ "/v1/responses": responsesOverChat }, () => answer);
  const client = new OpenAI({ baseURL: `${front.url}/v1`, apiKey: "none", maxRetries: 0 });
  return { client, front, [Symbol.dispose]: () => front[Symbol.dispose]() };
}

const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const TOOL = { type: "function" as const, name: "weather", parameters: schema, strict: true };

test("the official client gets an answer with what it asked for", async () => {
  const logprobs = { content: [{ token: "Hi", logprob: -1, bytes: null, top_logprobs: [] }] };
  const answer = completion({ content: "Hi", reasoning_content: "hm" }, "stop", { usage: USAGE });
  const [choice] = (answer as { choices: object[] }).choices;
  const json = { ...answer, choices: [{ ...choice, logprobs }] };
  using served = clientOf({ json });
  const response = await served.client.responses.create({
    model: "m",
    input: "hello",
    instructions: "be brief",
    temperature: 0.5,
    metadata: { a: "b" },
    tools: [TOOL],
    include: ["message.output_text.logprobs"],
  });
  expect(response.output_text).toBe("Hi");
  expect(response.id).toStartWith("resp_");
  expect(response).toMatchObject({
    ...{ object: "response", status: "completed", created_at: 1_700_000_000, model: "m" },
    ...{ instructions: "be brief", temperature: 0.5, metadata: { a: "b" }, tools: [TOOL] },
    ...{ tool_choice: "auto", store: false, error: null, incomplete_details: null },
    output: [
      { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }] },
      { type: "message", content: [{ logprobs: logprobs.content }] },
    ],
    usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
  });
});

test("the official client puts a stream together, and calls over several turns", async () => {
  const deltas = [
    { reasoning_content: "think" },
    { content: "Let me " },
    { content: "see." },
    { tool_calls: [{ index: 0, id: "c0", function: { name: "weather", arguments: '{"ci' } }] },
    { tool_calls: [{ index: 1, id: "c1", function: { name: "weather", arguments: '{"city":' } }] },
    { tool_calls: [{ index: 0, function: { arguments: 'ty":"Rome"}' } }] },
    { tool_calls: [{ index: 1, function: { arguments: '"Oslo"}' } }] },
  ];
  using served = clientOf({ events: chunksOf(deltas, { finish: "tool_calls", usage: USAGE }) });
  const { client, front } = served;
  const stream = client.responses.stream({ model: "m", input: "weather?", tools: [TOOL] });
  let text = "";
  stream.on("response.output_text.delta", ({ delta }) => {
    text += delta;
  });
  const response = await stream.finalResponse();
  expect(text).toBe("Let me see.");
  expect(response.output_text).toBe(text);
  const calls = response.output.filter((item) => item.type === "function_call");
  expect(calls.map((call) => call.parsed_arguments as unknown)).toEqual([
    { city: "Rome" },
    { city: "Oslo" },
  ]);
  expect(response.usage?.output_tokens_details.reasoning_tokens).toBe(2);
  await client.responses
    .stream({
      model: "m",
      input: [
        { role: "user", content: "weather?" },
        ...(response.output as OpenAI.Responses.ResponseInputItem[]),
        ...calls.map(({ call_id }) => ({
          ...{ type: "function_call_output" as const, call_id, output: "sunny" },
        })),
      ],
    })
    .finalResponse();
  expect(front.asked[1]?.body.messages).toMatchObject([
    { role: "user" },
    {
      role: "assistant",
      content: "Let me see.",
      reasoning_content: "think",
      tool_calls: [{ id: "c0" }, { id: "c1" }],
    },
    { role: "tool", tool_call_id: "c0" },
    { role: "tool", tool_call_id: "c1" },
  ]);
});

test("the official client parses structured output", async () => {
  using served = clientOf({ json: completion({ content: '{"city":"Rome"}' }) });
  const format = { type: "json_schema" as const, name: "place", schema, strict: true };
  const response = await served.client.responses.parse({
    ...{ model: "m", input: "where?", text: { format } },
  });
  expect(response.output_parsed as unknown).toEqual({ city: "Rome" });
  expect(served.front.asked[0]?.body.response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "place", schema, strict: true },
  });
});

test("the official client throws at a stream that breaks, and at what is refused", async () => {
  using served = clientOf({ events: chunksOf([{ content: "Hi" }], { finish: null }).slice(0, -1) });
  const { client } = served;
  const broken = client.responses.stream({ model: "m", input: "x" }).finalResponse();
  expect(await failureOf(broken)).toContain("broke off");
  const stateful = client.responses.create({ model: "m", input: "x", previous_response_id: "r" });
  expect(await failureOf(stateful)).toContain("previous_response_id");
});

test("a client that leaves ends the stream", async () => {
  const hold = Promise.withResolvers<void>();
  const events = chunksOf([{ content: "a" }, { content: "b" }]);
  using served = clientOf({ events, hold: hold.promise });
  const stream = await served.client.responses.create({ model: "m", input: "x", stream: true });
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") break;
  }
  await until(() => served.front.left > 0, 15_000);
  hold.resolve();
  expect(served.front.left).toBe(1);
});
