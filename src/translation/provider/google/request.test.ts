import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import { chatOverGoogle } from "./translation.ts";

const USER = { role: "user", content: "hi" };
const CALL = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
const TOOL = { type: "function", function: { name: "f" } };

function put(more: object, model = "gemini-2.5-flash") {
  return chatOverGoogle({ model: "google:x", messages: [USER], ...more }, model);
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
      expect(apiErrorOf(() => put({}, model))).toMatchObject({ status: 400, param: "model" });
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
    const error = apiErrorOf(() => put(more));
    expect(error).toMatchObject({ status: 400, param });
    expect(error.message.length).toBeGreaterThan(param.length);
  });
});
