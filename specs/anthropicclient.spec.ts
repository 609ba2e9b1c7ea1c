import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { type ProgramPair, startPair } from "../src/testkit/servers/chatonly.ts";

setDefaultTimeout(20_000);

let ways: ProgramPair;
beforeAll(async () => {
  ways = await startPair();
});
afterAll(() => ways?.[Symbol.asyncDispose]());

/** The official client; it sends each request once. */
function anthropic(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: "none", authToken: null, maxRetries: 0 });
}

const COUNT = "Count from 29 to 37.";
const COUNTED = "29, 30, 31, 32, 33, 34, 35, 36, 37";
const USUAL = { model: TINY, max_tokens: 200, temperature: 0 };

const tool = (name: string, argument: string): Anthropic.Tool => ({
  name,
  description: "As it is called",
  input_schema: {
    type: "object",
    properties: { [argument]: { type: "string" } },
    required: [argument],
  },
});
const STOCK = tool("get_stock_price", "symbol");

/** What is said in the text blocks of a message. */
function textOf({ content }: { content: { type: string; text?: string }[] }): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** The blocks of a case's first message in Anthropic's form. */
function picturesOf({ request }: Case): Anthropic.ContentBlockParam[] {
  const parts = request.messages[0]?.content as { text?: string; image_url?: { url: string } }[];
  return parts.map(({ text, image_url }): Anthropic.ContentBlockParam => {
    const data = image_url?.url.split(",")[1];
    if (data === undefined) return { type: "text", text: text ?? "" };
    return { type: "image", source: { type: "base64", media_type: "image/png", data } };
  });
}

type ErrorClass = typeof Anthropic.NotFoundError | typeof Anthropic.BadRequestError;

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Error) return thrown;
  throw new Error(`it did not fail: ${thrown}`);
}

describe.each(["native", "translated"] as const)("Anthropic's client, %s:", (way) => {
  const client = () => anthropic(ways[way].url);
  const ask = (more: Partial<Anthropic.MessageCreateParamsNonStreaming>) =>
    client().messages.create({ ...USUAL, messages: says("Goodbye"), ...more });

  test("a message is answered, with usage and an id", async () => {
    const message = await ask({});
    expect(message).toMatchObject({
      ...{ type: "message", role: "assistant", model: TINY },
      ...{ stop_reason: "end_turn", stop_sequence: null },
      content: [{ type: "text", text: "Goodbye!" }],
      usage: { output_tokens: 6 },
    });
    const { input_tokens, cache_read_input_tokens: cached } = message.usage;
    expect(input_tokens + (cached ?? 0)).toBe(12);
    expect(message.id).toMatch(/./);
    expect(message._request_id ?? "").toMatch(/^req_/);
  });

  test("system text is followed, as a text and as blocks", async () => {
    const messages = says("Introduce yourself.");
    const text = "You are called Traigos.";
    for (const system of [text, [{ type: "text" as const, text }]]) {
      expect(textOf(await ask({ system, messages }))).toBe("I am Traigos.");
    }
  });

  test("a conversation is remembered, in texts and in blocks", async () => {
    const message = await ask({
      messages: [
        { role: "user", content: [{ type: "text", text: "My home is in Jakarta." }] },
        { role: "assistant", content: [{ type: "text", text: "Jakarta is a nice place." }] },
        ...says("Where do I live?"),
      ],
    });
    expect(textOf(message)).toBe("You live in Jakarta.");
  });

  test("a stream gives the same message as an answer in one piece", async () => {
    const stream = client().messages.stream({ ...USUAL, messages: says(COUNT) });
    const pieces: string[] = [];
    stream.on("text", (piece) => pieces.push(piece));
    const message = await stream.finalMessage();
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join("")).toBe(COUNTED);
    const whole = await ask({ messages: says(COUNT) });
    expect(message.content.map(({ type }) => type)).toEqual(["text"]);
    expect(textOf(message)).toBe(textOf(whole));
    expect(message.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(message).toMatchObject({ model: TINY, stop_reason: "end_turn" });
    expect(stream.request_id ?? "").toMatch(/^req_/);
  });

  test("stop sequences and max_tokens end it, and it says so", async () => {
    const stopped = await ask({ messages: says(COUNT), stop_sequences: ["nothing", "33"] });
    expect(textOf(stopped)).toBe("29, 30, 31, 32, ");
    expect([stopped.stop_reason, stopped.stop_sequence]).toEqual(["stop_sequence", "33"]);
    const short = await ask({ messages: says(COUNT), max_tokens: 5 });
    expect([textOf(short), short.stop_reason]).toEqual(["29, 3", "max_tokens"]);
    expect(short.usage.output_tokens).toBe(5);
  });

  test.each([false, true])("a tool is called and answered for (streamed: %p)", async (streamed) => {
    const talk = async (messages: Anthropic.MessageParam[]) => {
      const request = { ...USUAL, messages, tools: [STOCK] };
      if (!streamed) return client().messages.create(request);
      return client().messages.stream(request).finalMessage();
    };
    const messages: Anthropic.MessageParam[] = says("What is the stock price of ABC?");
    const first = await talk(messages);
    expect(first.stop_reason).toBe("tool_use");
    const [call] = first.content.filter((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "get_stock_price", input: { symbol: "ABC" } });
    messages.push({ role: "assistant", content: first.content });
    const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "" };
    messages.push({ role: "user", content: [{ ...result, content: "866" }] });
    const second = await talk(messages);
    expect(textOf(second)).toBe("The stock price of ABC is 866.");
    expect(second.stop_reason).toBe("end_turn");
  });

  test("calls side by side come in blocks of their own, in a stream too", async () => {
    const request = {
      ...USUAL,
      messages: says("What time is it in Europe/Berlin and Asia/Seoul?"),
      tools: [tool("get_time", "timezone"), tool("weather", "city")],
    };
    const stream = client().messages.stream(request);
    let pieces = 0;
    stream.on("inputJson", () => {
      pieces += 1;
    });
    for (const { content } of [
      await client().messages.create(request),
      await stream.finalMessage(),
    ]) {
      const calls = content.filter((block) => block.type === "tool_use");
      expect(calls.map(({ name, input }) => [name, input])).toEqual([
        ["get_time", { timezone: "Europe/Berlin" }],
        ["get_time", { timezone: "Asia/Seoul" }],
      ]);
      expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    }
    expect(pieces).toBeGreaterThan(2);
  });

  test("a tool can be demanded, and forbidden", async () => {
    const messages = says("What is the stock price of ABC?");
    const tools = [STOCK, tool("clock", "timezone")];
    for (const [tool_choice, name] of [
      [{ type: "any" }, "get_stock_price"],
      [{ type: "tool", name: "get_stock_price" }, "get_stock_price"],
      [{ type: "tool", name: "clock" }, "clock"],
    ] as const) {
      const forced = await ask({ tools, messages, tool_choice });
      expect(forced.stop_reason).toBe("tool_use");
      expect(forced.content.at(-1)).toMatchObject({ type: "tool_use", name });
    }
    const free = await ask({ tools, messages, tool_choice: { type: "none" } });
    expect(free.content.map(({ type }) => type)).toEqual(["text"]);
  });

  test("what chats have no words for is refused by its name", async () => {
    const tools = [{ type: "web_search_20250305" as const, name: "web_search" as const }];
    const error = await failureOf(ask({ tools }));
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error.message).toContain("tools.0.type");
  });

  test("the tool runner takes the steps by itself", async () => {
    const asked: unknown[] = [];
    const runner = client().beta.messages.toolRunner({
      ...USUAL,
      messages: says("What is the stock price of ABC?"),
      tools: [
        betaZodTool({
          name: "get_stock_price",
          description: "Get a stock price",
          inputSchema: z.object({ symbol: z.string() }),
          run: (input) => {
            asked.push(input);
            return "866";
          },
        }),
      ],
    });
    expect(textOf(await runner)).toContain("866");
    expect(asked).toEqual([{ symbol: "ABC" }]);
  });

  test("a schema gives its form to the answer", async () => {
    const form = z.strictObject({ animal: z.string(), colour: z.enum(["green", "blue"]) });
    const { parsed_output: parsed } = await client().messages.parse({
      ...USUAL,
      messages: says("Extract the animal and colour as JSON: The mouse is pink."),
      output_config: { format: zodOutputFormat(form) },
    });
    // Not what the model would say by itself: pink.
    expect(parsed?.animal).toBe("mouse");
    expect(["green", "blue"]).toContain(parsed?.colour as string);
  });

  test.each(["image_describe", "image_two"])("images are seen (%s)", async (task) => {
    const one = caseOf(task);
    const message = await ask({ messages: [{ role: "user", content: picturesOf(one) }] });
    expect({ content: textOf(message) }).toEqual(one.expected as { content: string });
  });

  test("tokens are counted", async () => {
    const count = async (text: string) => {
      const { messages } = client();
      return (await messages.countTokens({ model: TINY, messages: says(text) })).input_tokens;
    };
    const one = await count("Goodbye");
    expect(one).toBeGreaterThan(0);
    expect(await count("Goodbye, and come back soon")).toBeGreaterThan(one);
  });

  test("models are listed", async () => {
    const page = await client().models.list();
    expect(page.data.map(({ id }) => id)).toEqual([TINY]);
    expect((await client().models.retrieve(TINY)).id).toBe(TINY);
  });

  test.each<[string, object, ErrorClass, RegExp]>([
    ["an unknown model", { model: "nothing" }, Anthropic.NotFoundError, /nothing/],
    ["a wrong field", { messages: [{ role: 7 }] }, Anthropic.BadRequestError, /messages/],
    ["a wrong number", { temperature: "hot" }, Anthropic.BadRequestError, /temperature/],
    [
      "a prompt that does not fit",
      { messages: says("word ".repeat(5000)) },
      Anthropic.BadRequestError,
      /context|tokens/,
    ],
  ])("%s is an error of the client's class, streamed or not", async (_, wrong, type, reason) => {
    for (const stream of [false, true]) {
      const error = await failureOf(ask({ ...wrong, stream } as object));
      expect(error).toBeInstanceOf(type);
      const { error: body, requestID } = error as InstanceType<ErrorClass>;
      expect(body).toMatchObject({
        type: "error",
        error: { message: expect.stringMatching(reason) },
      });
      expect(requestID ?? "").toMatch(/^req_/);
    }
  });

  test("a stream that is given up frees its slot", async () => {
    const stream = client().messages.stream({
      ...{ model: TINY, max_tokens: 1800, temperature: 1, ignore_eos: true },
      messages: says("Tell me a story about a robot"),
    });
    stream.on("text", () => stream.abort());
    expect(await failureOf(stream.finalMessage())).toBeInstanceOf(Anthropic.APIUserAbortError);
    const idle = async () => (await busySlots(ways.native.nodeUrl, TINY)) === 0 || undefined;
    await eventually(idle);
  });
});

test("the one way is Anthropic's own API, the other chats alone", async () => {
  ways.endpoint.asked.length = 0;
  const request = { ...USUAL, messages: says("Goodbye") };
  await anthropic(ways.native.url).messages.create(request);
  expect(ways.endpoint.asked).toEqual([]);
  await anthropic(ways.translated.url).messages.create(request);
  expect(ways.endpoint.asked).toEqual(["/v1/chat/completions"]);
});
