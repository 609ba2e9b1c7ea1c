import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import type { ChatCompletion } from "../../../wire/chat.ts";
import { chatOverGoogle } from "./translation.ts";

const USER = { role: "user", content: "hi" };

function put(more: object, model = "gemini-2.5-flash") {
  return chatOverGoogle({ model: "google:x", messages: [USER], ...more }, model);
}

describe("an answer", () => {
  const answer = (json: unknown) => put({}).answer(json) as ChatCompletion;
  const said = (finishReason: string, parts: object[] = [{ text: "x" }]) => ({
    candidates: [{ content: { parts }, finishReason }],
  });

  test("bears the client's name of the model and Google's id", () => {
    expect(answer({ ...said("STOP"), responseId: "r1" })).toMatchObject({
      id: "chatcmpl-r1",
      object: "chat.completion",
      model: "google:x",
      choices: [{ index: 0, message: { role: "assistant", content: "x" }, finish_reason: "stop" }],
    });
  });

  test("gives calls ids where Google does not, each its own", () => {
    const call = { functionCall: { name: "f", args: { a: 1 } } };
    const { choices } = answer(said("STOP", [call, { functionCall: { name: "g" } }]));
    const calls = choices[0]?.message.tool_calls ?? [];
    expect(calls.map((one) => one.function)).toEqual([
      { name: "f", arguments: '{"a":1}' },
      { name: "g", arguments: "{}" },
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(calls[0]?.id).toMatch(/^call_[0-9a-f]{32}$/);
    expect(choices[0]).toMatchObject({ message: { content: null }, finish_reason: "tool_calls" });
  });

  test("has probabilities, signatures and images where they belong", () => {
    const chosen = { token: "ä", logProbability: -0.5 };
    const json = {
      candidates: [
        {
          content: {
            parts: [
              { text: "ä", thoughtSignature: "c2ln" },
              { inlineData: { mimeType: "image/png", data: "AA==" } },
            ],
          },
          logprobsResult: { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen] }] },
        },
      ],
    };
    const token = { token: "ä", logprob: -0.5, bytes: [195, 164] };
    expect(answer(json).choices[0]).toMatchObject({
      message: {
        images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }],
        extra_content: { google: { thought_signature: "c2ln" } },
      },
      logprobs: { content: [{ ...token, top_logprobs: [token] }] },
    });
  });

  test("to a blocked prompt is a refusal", () => {
    expect(answer({ promptFeedback: { blockReason: "SAFETY" } }).choices).toMatchObject([
      {
        message: { content: null, refusal: "Google blocked the prompt: SAFETY." },
        finish_reason: "content_filter",
      },
    ]);
  });

  test.each([
    ["nothing", {}],
    ["a list", []],
    ["no parts that are any", { candidates: [{ content: { parts: [{ text: 1 }] } }] }],
  ])("of %s is a 502", (_name, json) => {
    expect(apiErrorOf(() => answer(json)).status).toBe(502);
  });

  test.each(["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"])(
    "that the model wrote wrong is not made again by anybody: %s",
    (reason) => {
      const error = apiErrorOf(() => answer(said(reason, [])));
      expect(error).toMatchObject({ kind: "tool_call_failed", status: 422, retryable: false });
      expect(error.message).toContain(reason);
    },
  );

  test("may have null for whatever is absent", () => {
    const nothing = { thought: null, thoughtSignature: null, inlineData: null };
    const parts = [
      { ...nothing, text: "Hello", functionCall: null },
      { ...nothing, text: null, functionCall: { id: null, name: "f", args: null } },
    ];
    const candidate = { index: null, content: { parts }, finishReason: "STOP" };
    const usage = { promptTokenCount: 2, candidatesTokenCount: null, totalTokenCount: null };
    const more = { cachedContentTokenCount: null, thoughtsTokenCount: null };
    const json = {
      candidates: [{ ...candidate, finishMessage: null, logprobsResult: null }],
      ...{ promptFeedback: { blockReason: null }, usageMetadata: { ...usage, ...more } },
      responseId: null,
    };
    expect(answer(json)).toMatchObject({
      choices: [
        {
          index: 0,
          message: { content: "Hello", tool_calls: [{ function: { name: "f", arguments: "{}" } }] },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 0, total_tokens: 2 },
    });
    expect(() => answer({ candidates: null })).toThrow("no candidates");
  });
});

describe("a stream", () => {
  const stream = (options: object = {}) => put({ stream: true, ...options }).stream?.();
  const event = (json: unknown) => ({ event: undefined, data: JSON.stringify(json) });
  const text = (value: string, finishReason?: string) =>
    event({ candidates: [{ content: { parts: [{ text: value }] }, finishReason }] });
  const usage = { promptTokenCount: 2, candidatesTokenCount: 1 };

  test("tells usage only where it was asked for, and null before", () => {
    const run = (options: object) => {
      const one = stream(options);
      const last = event({ candidates: [{ finishReason: "STOP" }], usageMetadata: usage });
      return [one?.push(text("a")), one?.push(last), one?.end()].join("");
    };
    expect(run({})).not.toContain("usage");
    const asked = run({ stream_options: { include_usage: true } });
    const chunks = asked
      .trim()
      .split("\n\n")
      .map((frame) => frame.slice("data: ".length));
    expect(chunks.at(-1)).toBe("[DONE]");
    expect(JSON.parse(chunks.at(-2) ?? "")).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 },
    });
    for (const chunk of chunks.slice(0, -2)) expect(JSON.parse(chunk).usage).toBeNull();
  });

  test.each([
    ["nothing", []],
    ["no reason", [text("a")]],
    ["one of two candidates", [text("a", "STOP"), event({ candidates: [{ index: 1 }] })]],
  ])("that ends with %s ends with an error and is not done", (_name, events) => {
    const one = stream();
    const all = [...events.map((given) => one?.push(given)), one?.end()].join("");
    expect(all).toContain('"error":{"message":"Reading Google\'s answer failed: it broke off');
    expect(all).not.toContain("[DONE]");
  });

  test.each([
    [
      "an error",
      event({ error: { code: 429, message: "Slow", status: "RESOURCE_EXHAUSTED" } }),
      "rate_limit_error",
    ],
    [
      "an error in a list",
      event([{ error: { code: 503, message: "Later", status: "UNAVAILABLE" } }]),
      "service_unavailable",
    ],
    [
      "a call that failed",
      event({ candidates: [{ finishReason: "MALFORMED_FUNCTION_CALL" }] }),
      "invalid_request_error",
    ],
    ["no JSON", { event: undefined, data: "{" }, "service_unavailable"],
    ["something else", event({ candidates: 1 }), "service_unavailable"],
  ])("with %s in it says so and nothing after", (_name, given, type) => {
    const one = stream();
    one?.push(text("a"));
    expect(one?.push(given)).toContain(`"type":"${type}"`);
    expect(one?.push(text("b", "STOP"))).toBe("");
    expect(one?.end()).toBe("");
  });

  test("says once why it stopped, and nothing after", () => {
    const one = stream();
    expect(one?.push(text("a", "STOP"))).toContain('"finish_reason":"stop"');
    expect(one?.push(text("b", "STOP"))).toBe("");
    expect(one?.end()).toBe("data: [DONE]\n\n");
  });

  test("to a blocked prompt is a refusal that ends", () => {
    const one = stream();
    const said = one?.push(event({ promptFeedback: { blockReason: "OTHER" } }));
    expect(said).toContain("Google blocked the prompt: OTHER.");
    expect(said).toContain('"finish_reason":"content_filter"');
    expect(one?.end()).toBe("data: [DONE]\n\n");
  });
});
