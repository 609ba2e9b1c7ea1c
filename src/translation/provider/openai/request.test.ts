import { describe, expect, test } from "bun:test";
import { anthropicMessagesOverChat } from "../../client/anthropic/translation.ts";
import { ollamaEmbedOverEmbeddings } from "../../client/ollama/embeddings.ts";
import { ollamaGenerateOverChat } from "../../client/ollama/generate.ts";
import { ollamaChatOverChat } from "../../client/ollama/translation.ts";
import type { Translation } from "../../translation.ts";
import { openaiBody, openaiCompatibleBody } from "./request.ts";

const plain = ({ path, body }: Translation, model = "gpt-4o") =>
  openaiBody(path, { ...body, model });

const options = {
  ...{ num_predict: 9, temperature: 0.5, top_k: 40, min_p: 0.1, repeat_penalty: 1.1, seed: 7 },
  ...{ num_ctx: 4096, stop: ["x"], mirostat: 2 },
};
const call = { function: { name: "f", arguments: { a: 1 } } };
const messages = [
  { role: "user", content: "look", images: ["iVBORw0KGgo="] },
  { role: "assistant", content: "", thinking: "hm", tool_calls: [call] },
  { role: "tool", content: "7", tool_name: "f" },
];
const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
const CHAT = { model: "m", messages, tools, options, keep_alive: "5m", think: true };

describe("a request for OpenAI itself", () => {
  test("of Ollama's chat holds nothing that OpenAI does not know", () => {
    expect(plain(ollamaChatOverChat(CHAT))).toEqual({
      model: "gpt-4o",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "call_0", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          ],
        },
        { role: "tool", content: "7", tool_call_id: "call_0" },
      ],
      tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
      ...{ temperature: 0.5, seed: 7, stop: ["x"], max_completion_tokens: 9 },
      ...{ stream: true, stream_options: { include_usage: true } },
    });
  });

  test("of Ollama's other routes neither", () => {
    const raw = { model: "m", prompt: "x", raw: true, options, logprobs: true, keep_alive: 0 };
    expect(plain(ollamaGenerateOverChat({ ...raw, stream: false }))).toEqual({
      ...{ model: "gpt-4o", prompt: "x", max_tokens: 9, temperature: 0.5, seed: 7, stop: ["x"] },
      stream: false,
    });
    const embed = { model: "m", input: ["a"], dimensions: 4, keep_alive: 1 };
    expect(plain(ollamaEmbedOverEmbeddings(embed))).toEqual({
      ...{ model: "gpt-4o", input: ["a"], dimensions: 4, encoding_format: "float" },
    });
  });

  test("of Anthropic's messages neither", () => {
    const request = {
      ...{ model: "m", max_tokens: 9, top_k: 5, vendor_field: 1 },
      metadata: { user_id: "u" },
      messages: [
        { role: "user", content: [{ type: "text", text: "hi", cache_control: {} }] },
        { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "s" }] },
        { role: "user", content: "go on" },
      ],
    };
    const body = plain(anthropicMessagesOverChat(request));
    expect(Object.keys(body).toSorted()).toEqual([
      ...["max_completion_tokens", "messages", "model", "user"],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/hm|cache_control/);
  });

  test.each([
    ["gpt-4o", "high", undefined],
    ["gpt-4.1-mini", "none", undefined],
    ["gpt-5-chat-latest", "low", undefined],
    ["o3-mini", "low", "low"],
    ["o4-mini", "none", "low"],
    ["gpt-5-mini", "none", "minimal"],
    ["gpt-5.1", "none", "none"],
    ["gpt-6", "none", "none"],
    ["gpt-5", "max", "high"],
    ["gpt-5", "xhigh", "xhigh"],
  ])("has an effort that %s takes: %s is %s", (model, given, sent) => {
    const body = { messages: [], reasoning_effort: given, model };
    expect(openaiBody("/v1/chat/completions", body).reasoning_effort).toBe(sent as string);
  });
});

test("a request for a cloud like OpenAI has no thoughts, and no effort of none", () => {
  const request = {
    ...{ model: "m", max_tokens: 5, thinking: { type: "disabled" } },
    messages: [
      { role: "user", content: "x" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "" },
          { type: "text", text: "a" },
        ],
      },
      { role: "user", content: "y" },
    ],
  };
  const { body } = anthropicMessagesOverChat(request);
  expect(openaiCompatibleBody(body, false)).toEqual({
    ...{ model: "m", max_tokens: 5 },
    messages: [
      { role: "user", content: "x" },
      { role: "assistant", content: "a" },
      { role: "user", content: "y" },
    ],
  });
});

test("a request for one that wants thoughts keeps its limit and its thoughts", () => {
  const { body } = ollamaChatOverChat(CHAT);
  const { messages, max_tokens, reasoning_effort, ...rest } = openaiCompatibleBody(body, true);
  expect([max_tokens, reasoning_effort]).toEqual([9, "medium"]);
  expect(messages).toMatchObject([{}, { reasoning_content: "hm" }, {}]);
  expect(Object.keys(rest).toSorted()).toEqual([
    ...["model", "seed", "stop", "stream", "stream_options", "temperature", "tools"],
  ]);
});
