import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  embed,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  type ModelMessage,
  Output,
  streamObject,
  streamText,
  tool,
} from "ai";
import { z } from "zod";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import {
  openaiError,
  type ScriptedEndpoint,
  scriptedEndpoint,
} from "../src/testkit/servers/scripted.ts";

setDefaultTimeout(20_000);

let other: ScriptedEndpoint;
let program: Program;
let provider: ReturnType<typeof createOpenAICompatible>;
/** What the client wrote. */
const sent: Record<string, unknown>[] = [];
beforeAll(async () => {
  other = scriptedEndpoint("scripted");
  program = await Program.start({ args: ["--endpoint", other.url] });
  const written: typeof fetch = Object.assign((url: string | URL | Request, init?: RequestInit) => {
    sent.push(JSON.parse(String(init?.body)));
    return fetch(url, init);
  }, fetch);
  provider = createOpenAICompatible({
    ...{ name: "llmlb", baseURL: `${program.url}/v1`, apiKey: "none", fetch: written },
    ...{ includeUsage: true, supportsStructuredOutputs: true },
  });
});
afterAll(async () => {
  await program?.stop();
  other?.[Symbol.dispose]();
});

// It would tell of functions that it will not have some day.
globalThis.AI_SDK_LOG_WARNINGS = false;

const COUNT = "Count from 29 to 37.";
const COUNTED = "29, 30, 31, 32, 33, 34, 35, 36, 37";
const usual = () => ({ model: provider(TINY), temperature: 0, maxRetries: 0 });

describe("texts", () => {
  test("are generated, with usage and a reason to end", async () => {
    const { text, usage, finishReason, response } = await generateText({
      ...usual(),
      instructions: "You are called Traigos.",
      prompt: "Introduce yourself.",
    });
    expect([text, finishReason]).toEqual(["I am Traigos.", "stop"]);
    expect(usage.inputTokens).toBeGreaterThan(10);
    expect(usage.totalTokens).toBe((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
    expect(response.modelId).toBe(TINY);
  });

  test("are streamed in pieces, with the usage that the client asks for", async () => {
    const stream = streamText({ ...usual(), prompt: COUNT });
    const pieces = await Array.fromAsync(stream.textStream);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join("")).toBe(COUNTED);
    expect(sent.at(-1)?.stream_options).toEqual({ include_usage: true });
    expect((await stream.usage).outputTokens).toBeGreaterThan(10);
    expect(await stream.finishReason).toBe("stop");
  });

  test("end at a limit and before a stop text", async () => {
    const short = await generateText({ ...usual(), prompt: COUNT, maxOutputTokens: 5 });
    expect([short.text, short.finishReason]).toEqual(["29, 3", "length"]);
    const stopped = await generateText({ ...usual(), prompt: COUNT, stopSequences: ["33"] });
    expect([stopped.text, stopped.finishReason]).toEqual(["29, 30, 31, 32, ", "stop"]);
  });

  test("follow a conversation", async () => {
    const messages: ModelMessage[] = [
      { role: "user", content: "My home is in Jakarta." },
      { role: "assistant", content: [{ type: "text", text: "Jakarta is a nice place." }] },
      { role: "user", content: [{ type: "text", text: "Where do I live?" }] },
    ];
    expect((await generateText({ ...usual(), messages })).text).toBe("You live in Jakarta.");
  });
});

describe("tools", () => {
  const stock = (asked: unknown[]) =>
    tool({
      description: "Get a stock price",
      inputSchema: z.object({ symbol: z.string() }),
      execute: async (input) => {
        asked.push(input);
        return "866";
      },
    });
  const question = { prompt: "What is the stock price of ABC?", stopWhen: isStepCount(5) };

  test("are called and answered for in steps", async () => {
    const asked: unknown[] = [];
    const tools = { get_stock_price: stock(asked) };
    const { text, steps } = await generateText({ ...usual(), ...question, tools });
    expect(text).toBe("The stock price of ABC is 866.");
    expect(asked).toEqual([{ symbol: "ABC" }]);
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
  });

  test("are called and answered for in steps of a stream", async () => {
    const asked: unknown[] = [];
    const tools = { get_stock_price: stock(asked) };
    const stream = streamText({ ...usual(), ...question, tools });
    const kinds = (await Array.fromAsync(stream.fullStream)).map(({ type }) => type);
    for (const kind of ["tool-input-delta", "tool-call", "tool-result", "text-delta", "finish"]) {
      expect(kinds).toContain(kind as (typeof kinds)[number]);
    }
    expect(kinds).not.toContain("error");
    expect(await stream.text).toBe("The stock price of ABC is 866.");
    expect(asked).toEqual([{ symbol: "ABC" }]);
  });

  test("are called side by side", async () => {
    const { toolCalls } = await generateText({
      ...usual(),
      prompt: "What time is it in Europe/Berlin and Asia/Seoul?",
      tools: { get_time: tool({ inputSchema: z.object({ timezone: z.string() }) }) },
    });
    expect(toolCalls.map(({ input }) => input)).toEqual([
      { timezone: "Europe/Berlin" },
      { timezone: "Asia/Seoul" },
    ]);
  });
});

describe("objects", () => {
  const schema = z.strictObject({ animal: z.string(), colour: z.enum(["green", "blue"]) });
  const prompt = "Extract the animal and colour as JSON: The mouse is pink.";
  const expected = { animal: "mouse", colour: expect.stringMatching(/^(green|blue)$/) };

  test("have the form of their schema, streamed or not", async () => {
    const { object } = await generateObject({ ...usual(), schema, prompt });
    expect(object).toEqual(expected);
    const stream = streamObject({ ...usual(), schema, prompt });
    const parts = await Array.fromAsync(stream.partialObjectStream);
    expect(parts.length).toBeGreaterThan(1);
    expect(await stream.object).toEqual(expected);
  });

  test("are the output of a text too", async () => {
    const { output } = await generateText({
      ...usual(),
      output: Output.object({ schema }),
      prompt,
    });
    expect(output).toEqual(expected);
  });
});

test("images are seen", async () => {
  const one = caseOf("image_describe");
  const { text } = await generateText({ ...usual(), messages: messagesOf(one) });
  expect({ content: text } as object).toEqual(one.expected);
});

test("texts are embedded, one and many", async () => {
  const model = provider.embeddingModel(TINY);
  const one = await embed({ model, value: "Give me two birds." });
  expect(one.embedding).toHaveLength(256);
  expect(one.usage.tokens).toBeGreaterThan(3);
  const many = await embedMany({ model, values: ["Give me two birds.", "No.", "Yes."] });
  expect(many.embeddings.map(({ length }) => length)).toEqual([256, 256, 256]);
});

test("a stream that is given up frees its slot", async () => {
  const controller = new AbortController();
  let aborted = false;
  const stream = streamText({
    ...usual(),
    prompt: "Tell me a story about a robot",
    maxOutputTokens: 1800,
    providerOptions: { llmlb: { ignore_eos: true } },
    abortSignal: controller.signal,
    onAbort: () => {
      aborted = true;
    },
  });
  for await (const { type } of stream.fullStream) if (type === "text-delta") controller.abort();
  expect(aborted).toBe(true);
  expect(sent.at(-1)).toMatchObject({ ignore_eos: true });
  await eventually(async () => (await busySlots(program.nodeUrl, TINY)) === 0 || undefined);
});

describe("errors", () => {
  test("are what the client makes of their status and message", async () => {
    const asked = { ...usual(), model: provider("nothing"), messages: says("x") };
    const error: unknown = await generateText(asked).catch((thrown: unknown) => thrown);
    if (!APICallError.isInstance(error)) throw new Error(`no API error: ${error}`);
    expect([error.statusCode, error.isRetryable]).toEqual([404, false]);
    expect(error.message).toContain("`nothing`");
  });

  test("in a stream are its error part", async () => {
    const asked = { ...usual(), model: provider("nothing"), messages: says("x") };
    const stream = streamText({ ...asked, onError: () => undefined });
    const parts = await Array.fromAsync(stream.fullStream);
    const [error] = parts.filter((part) => part.type === "error");
    expect(error?.error).toMatchObject({ statusCode: 404 });
  });

  test.each([429, 503])("of %d are asked again", async (status) => {
    other.asked.length = 0;
    other.next.push(openaiError(status, { "retry-after": "0.01" }));
    const asked = { model: provider(other.model), messages: says("x"), maxRetries: 2 };
    expect((await generateText(asked)).text).toBe("well");
    expect(other.asked).toHaveLength(2);
  });
});

/** A case's messages in the form of this client. */
function messagesOf({ request }: Case): ModelMessage[] {
  return request.messages.map(({ content }): ModelMessage => {
    const parts = content as { text?: string; image_url?: { url: string } }[];
    return {
      role: "user",
      content: parts.map(({ text, image_url }) =>
        image_url === undefined
          ? { type: "text", text: text ?? "" }
          : { type: "file", mediaType: "image/png", data: new URL(image_url.url) },
      ),
    };
  });
}
