import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { Rewritten } from "../http/proxy/rewrite/rewrite.ts";
import { chunksOf, completion, USAGE } from "../testkit/servers/translating.ts";
import { ApiError, type Dialect, errorFrame } from "../wire/error.ts";
import { anthropicMessagesOverChat } from "./client/anthropic/translation.ts";
import { ollamaChatOverChat } from "./client/ollama/translation.ts";
import { responsesOverChat } from "./client/responses/translation.ts";
import { TranslationRewrite } from "./rewrite.ts";
import type { Translation } from "./translation.ts";

const broke = new ApiError("upstream", "The endpoint broke off.");
const messages = [{ role: "user" as const, content: "x" }];
const REQUESTS: [Dialect, () => Translation][] = [
  ["responses", () => responsesOverChat({ model: "m", input: "x", stream: true })],
  [
    "anthropic",
    () => anthropicMessagesOverChat({ model: "m", messages, max_tokens: 5, stream: true }),
  ],
  ["ollama", () => ollamaChatOverChat({ model: "m", messages })],
];

function rewriteOf(translation: Translation, dialect: Dialect): TranslationRewrite {
  return new TranslationRewrite({ translation, model: "mine", dialect, requestId: "r1" });
}

const sse = (events: (object | string)[]) =>
  events.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("");

/** A client's stream of an endpoint's that sent these events and then broke. */
function broken(translation: Translation, dialect: Dialect, events: (object | string)[]): string {
  const stream = rewriteOf(translation, dialect).stream();
  const pieces = [stream.push(Buffer.from(sse(events))), stream.fail?.(broke)];
  return Buffer.concat(pieces.map((piece) => piece ?? new Uint8Array())).toString();
}

const CHUNKS = chunksOf([{ content: "He" }, { content: "llo" }]);

describe("a translated stream whose endpoint breaks", () => {
  test.each(REQUESTS)("ends with an error: %s", (dialect, translation) => {
    const text = broken(translation(), dialect, CHUNKS.slice(0, 1));
    expect(text).toContain("He");
    expect(text).toContain("The endpoint broke off.");
    expect(text).not.toMatch(/message_stop|response\.completed|"done":true/);
  });

  test.each(REQUESTS)("after its end is complete: %s", (dialect, translation) => {
    const text = broken(translation(), dialect, CHUNKS);
    expect(text).toMatch(/message_stop|response\.completed|"done":true/);
    expect(text).not.toContain("broke off");
  });

  test("numbers a response's last events, and tells how the response is", () => {
    const [, translation] = REQUESTS[0] ?? [];
    const text = translation ? broken(translation(), "responses", CHUNKS.slice(0, 2)) : "";
    const events = text.split("\n\n").flatMap((one) => one.split("data: ")[1] ?? []);
    const told = events.map((event) => JSON.parse(event) as Record<string, unknown>);
    expect(told.map((event) => event.sequence_number)).toEqual(told.map((_, i) => i));
    expect(told.at(-2)).toMatchObject({ type: "error", code: "upstream" });
    expect(told.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "server_error", message: broke.message } },
    });
  });
});

describe("an answer that comes whole although a stream was asked for", () => {
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
  const whole = async (translation: Translation, dialect: Dialect, json: object) => {
    const options = { translation, model: "mine", dialect, requestId: "r1", streams: true };
    const bytes = Buffer.from(JSON.stringify(json));
    const rewritten = await new TranslationRewrite(options).whole(bytes, 200);
    return { text: Buffer.from(rewritten.bytes).toString(), headers: rewritten.headers };
  };
  const answer = completion({ content: "Hello", tool_calls: [call] }, "tool_calls", {
    usage: USAGE,
  });

  test.each(REQUESTS)("becomes one: %s", async (dialect, translation) => {
    const { text, headers } = await whole(translation(), dialect, answer);
    const lines = dialect === "ollama";
    const type = lines ? "application/x-ndjson" : "text/event-stream";
    expect(headers).toEqual({ "content-type": type });
    expect(text).toContain('"Hello"');
    expect(text).toMatch(/message_stop|response\.completed|"done":true/);
    expect(text).toMatch(/"(?:output_tokens|eval_count)":5/);
    expect(text).toContain('"name":"f"');
    expect(text).not.toContain('"model":"m"');
  });

  test.each(REQUESTS)("is an error if it makes no sense: %s", (dialect, translation) => {
    const made = whole(translation(), dialect, { choices: [] });
    expect(made).rejects.toThrow("could not be read");
  });

  test("stays whole where there is no stream of it", async () => {
    const loading = ollamaChatOverChat({ model: "m", messages: [] });
    expect((await whole(loading, "ollama", answer)).headers).toBeUndefined();
  });

  test.each(REQUESTS)("and a stream that was not asked for is an error: %s", (dialect, given) => {
    const translation = given();
    const options = { translation, model: "mine", dialect, requestId: "r1", streams: false };
    expect(() => new TranslationRewrite(options).stream()).toThrow("not what was asked for");
  });
});

describe("an error of an endpoint", () => {
  const told = (dialect: Dialect, status: number, json: object) => {
    const translation = anthropicMessagesOverChat({ model: "m", messages });
    return rewriteOf(translation, dialect).whole(Buffer.from(JSON.stringify(json)), status);
  };

  test.each([
    [429, { error: { message: "x", type: "rate_limit_error" } }, 429, "true"],
    [529, { type: "error", error: { type: "overloaded_error", message: "x" } }, 503, "true"],
    [500, { error: { message: "x", type: "server_error" } }, 502, "true"],
    [501, { error: { message: "x" } }, 501, "false"],
    [400, { error: { message: "x", type: "invalid_request_error" } }, 400, undefined],
  ])("%d tells SDKs whether to try again", async (given, json, status, retry) => {
    const answer = await told("anthropic", given, json);
    expect(answer.status).toBe(status);
    expect(answer.headers?.["x-should-retry"]).toBe(retry as string);
  });

  test("tells when to try again, where its body does", async () => {
    const details = [{ "@type": "t", retryDelay: "16.2s" }];
    const error = { code: 429, message: "x", status: "RESOURCE_EXHAUSTED", details };
    const { headers } = await told("openai", 429, { error });
    expect(headers?.["retry-after"]).toBe("17");
  });
});

describe("the error at a stream's end", () => {
  /** Serves a stream; the clients read it. */
  function serve(text: string) {
    const headers = { "content-type": "text/event-stream" };
    const fetch = () => new Response(text, { headers });
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
    const url = `http://127.0.0.1:${server.port}`;
    const options = { apiKey: "none", maxRetries: 0 };
    return {
      openai: new OpenAI({ ...options, baseURL: `${url}/v1` }),
      anthropic: new Anthropic({ ...options, baseURL: url }),
      [Symbol.dispose]: () => void server.stop(true),
    };
  }

  async function thrownBy(work: Promise<unknown>): Promise<Error | undefined> {
    try {
      await work;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error("no error was thrown", { cause: error });
    }
  }

  async function drained(stream: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of stream);
  }

  test("of chats is what OpenAI's client throws", async () => {
    using served = serve(sse(CHUNKS.slice(0, 1)) + errorFrame(broke, "openai"));
    const stream = await served.openai.chat.completions.create({
      ...{ model: "m", messages, stream: true },
    });
    const error = await thrownBy(drained(stream));
    expect(error).toMatchObject({ code: "upstream", type: "service_unavailable" });
    expect(error?.message).toContain(broke.message);
  });

  const created = { type: "response.created", sequence_number: 0, response: { output: [] } };
  const [, responses] = REQUESTS[0] ?? [];
  test.each([
    ["passed on", sse([created]) + errorFrame(broke, "responses", 1)],
    ["translated", responses ? broken(responses(), "responses", CHUNKS.slice(0, 2)) : ""],
  ])("of responses is what OpenAI's client throws, %s", async (_, text) => {
    using served = serve(text);
    const asked = { model: "m", input: "x" };
    const stream = await served.openai.responses.create({ ...asked, stream: true });
    const thrown = [
      await thrownBy(drained(stream)),
      await thrownBy(served.openai.responses.stream(asked).finalResponse()),
    ];
    for (const error of thrown) {
      expect(error).toMatchObject({ code: "upstream", param: null });
      expect(error?.message).toContain(broke.message);
    }
  });

  test("of messages is what Anthropic's client throws", async () => {
    const [, translation] = REQUESTS[1] ?? [];
    using served = serve(translation ? broken(translation(), "anthropic", CHUNKS.slice(0, 2)) : "");
    const asked = { model: "m", messages, max_tokens: 5 };
    const stream = await served.anthropic.messages.create({ ...asked, stream: true });
    const thrown = [
      await thrownBy(drained(stream)),
      await thrownBy(served.anthropic.messages.stream(asked).finalMessage()),
    ];
    for (const error of thrown) {
      expect(error).toMatchObject({ type: "api_error" });
      expect(error?.message).toContain(broke.message);
    }
  });
});

describe("a whole answer that is long", () => {
  const long = (more: object) => ({ ...completion({ content: "Hello" }, "stop", more) });
  const rewrite = () => rewriteOf(anthropicMessagesOverChat({ model: "m", messages }), "anthropic");

  test("is translated as a short one, while others have their turns", async () => {
    const text = `{"x":[${"12345678901234567890,".repeat(150_000)}1],`;
    const bytes = Buffer.from(text + JSON.stringify(long({ usage: USAGE })).slice(1));
    let turns = 0;
    const beat = setInterval(() => {
      turns += 1;
    }, 0);
    const answer = await rewrite().whole(bytes, 200);
    clearInterval(beat);
    expect(turns).toBeGreaterThan(3);
    const short = await rewrite().whole(Buffer.from(JSON.stringify(long({ usage: USAGE }))), 200);
    const read = ({ bytes: made }: Rewritten) => JSON.parse(Buffer.from(made).toString());
    expect({ ...read(answer), id: "" }).toEqual({ ...read(short), id: "" });
  });

  test("is an error if it makes no sense, or is no JSON", async () => {
    const padding = "a".repeat(400_000);
    for (const text of [JSON.stringify({ padding, choices: [] }), `{"padding":"${padding}"`]) {
      expect(rewrite().whole(Buffer.from(text), 200)).rejects.toThrow("could not be read");
    }
    const page = await rewrite().whole(Buffer.from(`<html>${padding}`), 500);
    expect(page.status).toBe(502);
  });
});
