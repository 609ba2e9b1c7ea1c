import { describe, expect, test } from "bun:test";
import type { ChatCompletion } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import { embeddingsOverGoogle } from "./embeddings.ts";
import { chatOverGoogle } from "./translation.ts";

const USER = { role: "user", content: "hi" };
const CALL = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
const TOOL = { type: "function", function: { name: "f" } };

function put(more: object, model = "gemini-2.5-flash") {
  return chatOverGoogle({ model: "google:x", messages: [USER], ...more }, model);
}

function refusalOf(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a request", () => {
  test("goes to the model's own path, without the model in the body", () => {
    expect(put({}).path).toBe("/models/gemini-2.5-flash:generateContent");
    const streamed = put({ stream: true }).path;
    expect(streamed).toBe("/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    expect(put({}, "tunedModels/mine-1").path).toBe("/tunedModels/mine-1:generateContent");
    expect(put({}, "models/gemini-2.5-pro").path).toBe("/models/gemini-2.5-pro:generateContent");
    expect(put({}).body).toEqual({ contents: [{ role: "user", parts: [{ text: "hi" }] }] });
  });

  test.each(["..", "a/../b", "a/b/c", "../x", "a?b", "a:b", "a b", "", "%2e%2e"])(
    "for a model named %j is refused: it would be another path",
    (model) => {
      expect(refusalOf(() => put({}, model))).toMatchObject({ status: 400, param: "model" });
    },
  );

  test("has the system's words from wherever they stood", () => {
    const messages = [{ role: "system", content: "a" }, USER, { role: "developer", content: "b" }];
    expect(put({ messages }).body).toEqual({
      systemInstruction: { parts: [{ text: "a" }, { text: "b" }] },
      contents: [{ role: "user", parts: [{ text: "hi" }] }],
    });
  });

  test("has all answers to parallel calls in one content, with the functions' names", () => {
    const other = { ...CALL, id: "c2", function: { name: "g", arguments: '{"a":1}' } };
    const messages = [
      USER,
      { role: "assistant", content: null, tool_calls: [CALL, other] },
      { role: "tool", tool_call_id: "c1", content: '{ "t": [1, "x y"] }' },
      { role: "tool", tool_call_id: "c2", content: "plain" },
      { role: "user", content: "and?" },
    ];
    expect(put({ messages }).body).toMatchObject({
      contents: [
        { role: "user" },
        {
          role: "model",
          parts: [
            { functionCall: { id: "c1", name: "f", args: {} } },
            { functionCall: { id: "c2", name: "g", args: { a: 1 } } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { id: "c1", name: "f", response: { t: [1, "x y"] } } },
            { functionResponse: { id: "c2", name: "g", response: { output: "plain" } } },
          ],
        },
        { role: "user", parts: [{ text: "and?" }] },
      ],
    });
  });

  test("stands in for signatures that Gemini 3 wants and the client does not have", () => {
    const messages = [USER, { role: "assistant", tool_calls: [CALL, { ...CALL, id: "c2" }] }];
    const parts = (model: string) => Object(put({ messages }, model).body).contents[1].parts;
    expect(parts("gemini-3-pro-preview")[0].thoughtSignature).toBe(
      "skip_thought_signature_validator",
    );
    expect(parts("gemini-3-pro-preview")[1].thoughtSignature).toBeUndefined();
    expect(parts("gemini-2.5-flash")[0].thoughtSignature).toBeUndefined();
  });

  test.each([
    ["gemini-2.5-flash", "none", { includeThoughts: false, thinkingBudget: 0 }],
    ["gemini-2.5-pro", "none", { includeThoughts: false, thinkingBudget: 128 }],
    ["gemini-2.5-flash", "medium", { includeThoughts: true, thinkingBudget: 8192 }],
    ["gemini-3-flash", "none", { includeThoughts: false, thinkingLevel: "minimal" }],
    ["gemini-3.1-pro-preview", "minimal", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-3-pro", "high", { includeThoughts: true, thinkingLevel: "high" }],
  ])("to %s with effort %s thinks so", (model, effort, thinkingConfig) => {
    const { body } = put({ reasoning_effort: effort }, model);
    expect(body).toMatchObject({ generationConfig: { thinkingConfig } });
  });

  test("leaves out what Google does not know of a schema, and fields that say nothing", () => {
    const parameters = { $schema: "http://json-schema.org/draft-07/schema#", type: "object" };
    const tools = [{ ...TOOL, function: { name: "f", parameters } }];
    const { body } = put({ tools, temperature: null, user: "u", parallel_tool_calls: false });
    expect(body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object" } }] }],
    });
    expect(JSON.stringify(body)).not.toContain("$schema");
    expect(body.generationConfig).toBeUndefined();
  });

  const part = (given: object) => ({ messages: [{ role: "user", content: [given] }] });
  const bad: [string, object, string][] = [
    ["messages", { messages: [] }, "messages"],
    ["only the system", { messages: [{ role: "system", content: "x" }] }, "messages"],
    ["a role", { messages: [{ role: "robot", content: "x" }] }, "messages.0.role"],
    [
      "arguments that are no JSON",
      {
        messages: [
          {
            role: "assistant",
            tool_calls: [{ ...CALL, function: { name: "f", arguments: "{a" } }],
          },
        ],
      },
      "messages.0.tool_calls.0.function.arguments",
    ],
    [
      "arguments that are a list",
      {
        messages: [
          {
            role: "assistant",
            tool_calls: [{ ...CALL, function: { name: "f", arguments: "[]" } }],
          },
        ],
      },
      "messages.0.tool_calls.0.function.arguments",
    ],
    [
      "an answer to no call",
      { messages: [USER, { role: "tool", tool_call_id: "zz", content: "x" }] },
      "messages.1.tool_call_id",
    ],
    [
      "an image address",
      part({ type: "image_url", image_url: { url: "file:///etc/passwd" } }),
      "messages.0.content.0.image_url.url",
    ],
    [
      "a file of OpenAI's",
      part({ type: "file", file: { file_id: "file-1" } }),
      "messages.0.content.0.file",
    ],
    [
      "a format of audio",
      part({ type: "input_audio", input_audio: { data: "", format: "a/b" } }),
      "messages.0.content.0.input_audio.format",
    ],
    [
      "a system with images",
      {
        messages: [
          USER,
          {
            role: "system",
            content: [{ type: "image_url", image_url: { url: "https://a/b.png" } }],
          },
        ],
      },
      "messages.1.content",
    ],
    [
      "a tool that is not there",
      { tools: [TOOL], tool_choice: { type: "function", function: { name: "g" } } },
      "tool_choice",
    ],
    ["an effort", { reasoning_effort: "heroic" }, "reasoning_effort"],
    ["logit_bias", { logit_bias: { 1: 2 } }, "logit_bias"],
    ["spoken answers", { modalities: ["text", "audio"] }, "modalities"],
    ["old functions", { functions: [] }, "functions"],
  ];
  test.each(bad)("with %s that cannot be told is refused by its field", (_name, more, param) => {
    const error = refusalOf(() => put(more));
    expect(error).toMatchObject({ status: 400, param });
    expect(error.message.length).toBeGreaterThan(param.length);
  });
});

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
    ["a call that failed", said("MALFORMED_FUNCTION_CALL", [])],
  ])("of %s is a 502", (_name, json) => {
    expect(refusalOf(() => answer(json)).status).toBe(502);
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
      "service_unavailable",
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

describe("embeddings", () => {
  const put = (more: object) => embeddingsOverGoogle({ model: "google:e", ...more }, "e-1");

  test("are asked for together", () => {
    const { path, body } = put({ input: ["a", "b"], dimensions: 2 });
    expect(path).toBe("/models/e-1:batchEmbedContents");
    const one = (text: string) => ({
      model: "models/e-1",
      content: { parts: [{ text }] },
      outputDimensionality: 2,
    });
    expect(body).toEqual({ requests: [one("a"), one("b")] });
  });

  test("come as numbers or as bytes", () => {
    const json = { embeddings: [{ values: [0.5, -2] }] };
    expect(put({ input: "a" }).answer(json)).toEqual({
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: [0.5, -2] }],
      model: "google:e",
      usage: { prompt_tokens: 0, total_tokens: 0 },
    });
    const answer = put({ input: "a", encoding_format: "base64" }).answer(json);
    const bytes = Buffer.from(Object(answer).data[0].embedding, "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -2]);
    expect(refusalOf(() => put({ input: "a" }).answer({})).status).toBe(502);
  });

  test.each([
    ["tokens", { input: [[1, 2]] }],
    ["too many texts", { input: Array.from({ length: 101 }, () => "a") }],
    ["nothing", {}],
  ])("of %s are refused", (_name, more) => {
    const { status, param } = refusalOf(() => put(more));
    expect([status, param]).toEqual([400, expect.stringMatching(/^input(\.0)?$/)]);
  });
});
