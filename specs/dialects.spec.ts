import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type OpenAI from "openai";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { allFrames, type Frame, openai, post, says, TINY } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(20_000);

let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await Program.start();
  client = openai(program);
});
afterAll(() => program?.stop());

const COUNT = "Count from 29 to 37.";
const COUNTED = "29, 30, 31, 32, 33, 34, 35, 36, 37";

/** A tool with one text argument. */
const parameters = {
  type: "object",
  properties: { symbol: { type: "string" } },
  required: ["symbol"],
};

describe("OpenAI's responses", () => {
  test("answer in one piece", async () => {
    const response = await client.responses.create({
      model: TINY,
      instructions: "You are called Traigos.",
      input: "Introduce yourself.",
      temperature: 0,
    });
    expect(response).toMatchObject({ object: "response", status: "completed", model: TINY });
    expect(response.output_text).toBe("I am Traigos.");
    expect(response.usage?.output_tokens).toBeGreaterThan(2);
  });

  test("take a conversation", async () => {
    const response = await client.responses.create({
      model: TINY,
      input: [
        { role: "user", content: "My home is in Jakarta." },
        { role: "assistant", content: "Jakarta is a nice place." },
        { role: "user", content: "Where do I live?" },
      ],
      temperature: 0,
    });
    expect(response.output_text).toBe("You live in Jakarta.");
  });

  test("stream events in the order of the API", async () => {
    const stream = await client.responses.create({
      model: TINY,
      input: COUNT,
      temperature: 0,
      stream: true,
    });
    const events = await Array.fromAsync(stream);
    const kinds = events.map(({ type }) => type as string);
    expect(kinds.filter((kind, at) => kind !== kinds[at - 1])).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const deltas = events.map((event) =>
      event.type === "response.output_text.delta" ? event.delta : "",
    );
    expect(deltas.join("")).toBe(COUNTED);
    expect(events.map(({ sequence_number: n }) => n)).toEqual(events.map((_, i) => i));
    expect(events.at(-1)).toMatchObject({ response: { status: "completed", model: TINY } });
  });

  test.each(["node", "balancer"])("of a %s refuse what needs something kept", async (part) => {
    const { url, nodeUrl } = program;
    const body = { model: TINY, input: COUNT, previous_response_id: "resp_1", stream: true };
    const refused = await post(`${part === "node" ? nodeUrl : url}/v1/responses`, body);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: "unsupported_state", param: "previous_response_id" },
    });
  });

  test("call tools", async () => {
    const { output } = await client.responses.create({
      model: TINY,
      input: "What is the stock price of ABC?",
      tools: [{ type: "function", name: "get_stock_price", parameters, strict: true }],
      temperature: 0,
    });
    const call = output.find((item) => item.type === "function_call");
    expect(call?.name).toBe("get_stock_price");
    expect(JSON.parse(call?.arguments ?? "")).toEqual({ symbol: "ABC" });
    expect(call?.call_id).toBeString();
  });

  test("see images", async () => {
    const one = caseOf("image_colour");
    const { text, url } = pictureOf(one);
    const response = await client.responses.create({
      model: TINY,
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text },
            { type: "input_image", image_url: url, detail: "auto" },
          ],
        },
      ],
      temperature: 0,
    });
    expect({ content: response.output_text }).toEqual(one.expected as { content: string });
  });
});

describe("Anthropic's messages", () => {
  const send = (body: object, path = "") =>
    post(
      `${program.url}/v1/messages${path}`,
      { model: TINY, max_tokens: 100, temperature: 0, ...body },
      { headers: { "anthropic-version": "2023-06-01", "x-api-key": "none" } },
    );
  const answered = async (body: object) => (await send(body)).json() as Promise<object>;
  const counted = async (body: object) => {
    const count = (await (await send(body, "/count_tokens")).json()) as { input_tokens: number };
    return count.input_tokens;
  };

  test("answer in one piece", async () => {
    const response = await send({ messages: says("Goodbye") });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: "message",
      role: "assistant",
      model: TINY,
      content: [{ type: "text", text: "Goodbye!" }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { output_tokens: 6 },
    });
  });

  test("follow the system text, stop at max_tokens and at stop sequences", async () => {
    const named = { system: "You are called Traigos.", messages: says("Introduce yourself.") };
    expect(await answered(named)).toMatchObject({ content: [{ text: "I am Traigos." }] });
    const short = { messages: says(COUNT), max_tokens: 5 };
    expect(await answered(short)).toMatchObject({ stop_reason: "max_tokens" });
    const stopped = { messages: says(COUNT), stop_sequences: ["33"] };
    expect(await answered(stopped)).toMatchObject({
      stop_reason: "stop_sequence",
      stop_sequence: "33",
      content: [{ text: "29, 30, 31, 32, " }],
    });
  });

  test("stream events in the order of the API", async () => {
    const got = await allFrames(await send({ messages: says(COUNT), stream: true }));
    expect(got.every(({ event, json }) => event === json?.type)).toBe(true);
    const kinds = got.map(({ event }) => event).filter((kind) => kind !== "ping");
    expect(kinds.filter((kind, at) => kind !== kinds[at - 1])).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(textOf(got)).toBe(COUNTED);
    const [start, end] = ["message_start", "message_delta"].map((name) => {
      return got.find(({ event }) => event === name)?.json;
    });
    expect(end).toMatchObject({ delta: { stop_reason: "end_turn", stop_sequence: null } });
    const { message } = start as { message: { id: string; usage: Usage } };
    expect(message.id).toMatch(/^msg_/);
    expect(inputOf(message.usage)).toBe(inputOf(end?.usage as Usage));
    expect(inputOf(message.usage)).toBe(await counted({ messages: says(COUNT) }));
  });

  test("stream which stop sequence ended them, and the calls of tools in pieces", async () => {
    const asked = { messages: says(COUNT), stop_sequences: ["never", "33"], stream: true };
    const stopped = await allFrames(await send(asked));
    expect(stopped.find(({ event }) => event === "message_delta")?.json).toMatchObject({
      delta: { stop_reason: "stop_sequence", stop_sequence: "33" },
    });
    const tools = [{ name: "get_stock_price", input_schema: parameters }];
    const messages = says("What is the stock price of ABC?");
    const called = await allFrames(await send({ messages, tools, stream: true }));
    const pieces = called.map(({ json }) => (json?.delta as Delta | undefined)?.partial_json ?? "");
    expect(JSON.parse(pieces.join(""))).toEqual({ symbol: "ABC" });
    expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(2);
  });

  test("use the tool that they must use", async () => {
    const input_schema = { type: "object", properties: { a: { type: "string", maxLength: 4 } } };
    const tools = ["get_stock_price", "other"].map((name) => ({ name, input_schema }));
    const messages = says("What is the stock price of ABC?");
    const body = { messages, tools, tool_choice: { type: "tool", name: "other" } };
    expect(await answered(body)).toMatchObject({
      ...{ stop_reason: "tool_use", content: [{ type: "tool_use", name: "other" }] },
    });
    const chat = await client.chat.completions.create({
      ...{ model: TINY, messages, temperature: 0 },
      tools: tools.map(({ name }) => ({
        ...{ type: "function" as const, function: { name, parameters: input_schema } },
      })),
      tool_choice: { type: "function", function: { name: "other" } },
    });
    expect(chat.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "other" } }]);
  });

  test("go on with an answer that has begun, without repeating it", async () => {
    const begun = { role: "assistant", content: "29, 30, 31," };
    const messages = [...says(COUNT), begun];
    expect(await answered({ messages })).toMatchObject({
      content: [{ text: " 32, 33, 34, 35, 36, 37" }],
    });
    expect(textOf(await allFrames(await send({ messages, stream: true })))).toBe(
      " 32, 33, 34, 35, 36, 37",
    );
  });

  test("call tools and take their results", async () => {
    const tools = [{ name: "get_stock_price", input_schema: parameters }];
    const messages = says("What is the stock price of ABC?");
    const first = (await answered({ messages, tools })) as { content: { id?: string }[] };
    expect(first).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "tool_use", name: "get_stock_price", input: { symbol: "ABC" } }],
    });
    const { id } = first.content[0] ?? {};
    const result = { type: "tool_result", tool_use_id: id, content: "866" };
    const second = await answered({
      messages: [
        ...messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [result] },
      ],
      tools,
    });
    expect(second).toMatchObject({ content: [{ text: "The stock price of ABC is 866." }] });
  });

  test("see images", async () => {
    const one = caseOf("image_describe");
    const { text, url } = pictureOf(one);
    const source = { type: "base64", media_type: "image/png", data: url.split(",")[1] };
    const content = [
      { type: "text", text },
      { type: "image", source },
    ];
    const answer = await answered({ messages: [{ role: "user", content }] });
    expect(answer).toMatchObject({
      content: [{ text: (one.expected as { content: string }).content }],
    });
  });

  test("are counted in tokens, with all that there is in them", async () => {
    expect(await counted({ messages: says("Goodbye") })).toBe(12);
    const { url } = pictureOf(caseOf("image_describe"));
    const source = { type: "base64", media_type: "image/png", data: url.split(",")[1] };
    const tools = [{ name: "get_stock_price", input_schema: parameters }];
    const call = { type: "tool_use", id: "a", name: "get_stock_price", input: { symbol: "A" } };
    const result = { type: "tool_result", tool_use_id: "a", content: [{ type: "image", source }] };
    let last = 0;
    for (const body of [
      { messages: says("Goodbye Goodbye") },
      { messages: says("Goodbye Goodbye"), system: [{ type: "text", text: "You are Traigos." }] },
      { messages: says("Goodbye Goodbye"), tools },
      {
        messages: [
          ...says("Goodbye Goodbye"),
          { role: "assistant", content: [call] },
          { role: "user", content: [result] },
        ],
        tools,
      },
    ]) {
      const tokens = await counted(body);
      expect(tokens).toBeGreaterThan(last);
      const { usage } = (await answered({ ...body, max_tokens: 1 })) as { usage: Usage };
      expect(inputOf(usage)).toBe(tokens);
      last = tokens;
    }
  });

  test.each(["node", "balancer"])("of a %s refuse unknown blocks alone", async (part) => {
    const { url, nodeUrl } = program;
    const content = [{ type: "strange" }];
    const body = { model: TINY, max_tokens: 5, messages: [{ role: "user", content }] };
    for (const path of ["", "/count_tokens"]) {
      const to = `${part === "node" ? nodeUrl : url}/v1/messages${path}`;
      const refused = await post(to, body);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual({
        type: "error",
        error: {
          type: "invalid_request_error",
          message: expect.stringContaining("messages.0.content.0"),
        },
        request_id: expect.stringMatching(/^req_/),
      });
    }
  });

  test("have a request's id in errors that the engine tells of", async () => {
    const long = await send({ messages: says("word ".repeat(3000)) });
    expect(long.status).toBe(400);
    expect(await long.json()).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("context") },
      request_id: long.headers.get("x-request-id"),
    });
  });

  test("have errors of their own shape", async () => {
    const unknown = await send({ model: "nothing", messages: says("Goodbye") });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({
      type: "error",
      error: { type: "not_found_error", message: expect.stringContaining("nothing") },
      request_id: unknown.headers.get("x-request-id"),
    });
    const wrong = await send({ messages: "Goodbye" });
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("messages") },
    });
  });
});

test("OpenAI's older completions continue a text", async () => {
  const prompt = "<|im_start|>user\nGoodbye<|im_end|>\n<|im_start|>assistant\n";
  const { choices, usage } = await client.completions.create({
    model: TINY,
    prompt,
    temperature: 0,
    max_tokens: 20,
  });
  expect(choices[0]).toMatchObject({ text: "Goodbye!", finish_reason: "stop" });
  expect(usage?.completion_tokens).toBe(6);
});

interface Usage {
  input_tokens: number;
  cache_read_input_tokens: number;
}

interface Delta {
  partial_json?: string;
}

/** Tokens of the prompt, read from the cache or not. */
function inputOf({ input_tokens: fresh, cache_read_input_tokens: cached }: Usage): number {
  return fresh + cached;
}

function textOf(got: Frame[]): string {
  const pieces = got.map(({ json }) => (json?.delta as { text?: string } | undefined)?.text ?? "");
  return pieces.join("");
}

/** The question and the picture, as a data URL, of a case's first message. */
function pictureOf({ request }: Case): { text: string; url: string } {
  const parts = request.messages[0]?.content as { text?: string; image_url?: { url: string } }[];
  const text = parts.find((part) => part.text !== undefined)?.text;
  const url = parts.find((part) => part.image_url !== undefined)?.image_url?.url;
  if (text === undefined || url === undefined) throw new Error("the case has no picture");
  return { text, url };
}
