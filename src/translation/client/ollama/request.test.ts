import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { withoutProto } from "../../../testkit/translation/proto.ts";
import { ApiError } from "../../../wire/error.ts";
import { ollamaEmbeddingsOverEmbeddings, ollamaEmbedOverEmbeddings } from "./embeddings.ts";
import { ollamaGenerateOverChat } from "./generate.ts";
import { ollamaChatOverChat } from "./translation.ts";

const chat = (request: object) => ollamaChatOverChat({ model: "m", ...request }).body;
const generate = (request: object) => ollamaGenerateOverChat({ model: "m", ...request });
const user = { role: "user", content: "hi" };

const PNG = "iVBORw0KGgoAAAANSUhEUg==";

describe("a chat", () => {
  test("streams unless told not to, and asks for the usage", () => {
    expect(chat({ messages: [user] })).toEqual({
      model: "m",
      messages: [user],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(chat({ messages: [user], stream: false })).toEqual({
      ...{ model: "m", messages: [user], stream: false },
    });
  });

  test("has its options, its form, its tools, its thinking and keep_alive", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const sampling = {
      ...{ temperature: 0, top_p: 0.5, top_k: 3, min_p: 0.1, typical_p: 0.9, seed: 4, stop: ["x"] },
      ...{ repeat_penalty: 1.1, repeat_last_n: 8, presence_penalty: 0.2, frequency_penalty: 0.3 },
      ...{ mirostat: 2, mirostat_tau: 5, mirostat_eta: 0.1 },
    };
    const made = chat({
      ...{ messages: [user], stream: false, format: schema, keep_alive: "5m", think: true },
      ...{ logprobs: true, top_logprobs: 2 },
      options: { ...sampling, num_predict: 9, num_ctx: 4096, num_gpu: 1 },
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema } }],
    });
    expect(made).toEqual({
      ...{ model: "m", messages: [user], stream: false, keep_alive: "5m", max_tokens: 9 },
      ...{ logprobs: true, top_logprobs: 2, ...sampling, repetition_penalty: 1.1 },
      ...{ reasoning_effort: "medium", chat_template_kwargs: { enable_thinking: true } },
      response_format: { type: "json_schema", json_schema: { name: "format", schema } },
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema } }],
    });
  });

  test.each<[object, object]>([
    [{ format: "json" }, { response_format: { type: "json_object" } }],
    [{ think: "high" }, { reasoning_effort: "high" }],
    [
      { think: false },
      { reasoning_effort: "none", chat_template_kwargs: { enable_thinking: false } },
    ],
    [{ options: { num_predict: -1 } }, {}],
    [{ format: "", think: null, options: null, keep_alive: null }, {}],
  ])("%j becomes %j", (given, expected) => {
    const made = chat({ messages: [user], stream: false, ...given });
    expect(made).toEqual({ model: "m", messages: [user], stream: false, ...expected });
  });

  test("has images with their kind", () => {
    const jpeg = "/9j/4AAQSkZJRg==";
    const message = { ...user, images: [PNG, jpeg, "data:image/webp;base64,UklGRg=="] };
    expect(chat({ messages: [message] }).messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "hi" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
          { type: "image_url", image_url: { url: `data:image/jpeg;base64,${jpeg}` } },
          { type: "image_url", image_url: { url: "data:image/webp;base64,UklGRg==" } },
        ],
      },
    ]);
  });

  test("has images of a result in the user's message behind it", () => {
    const made = { role: "assistant", tool_calls: [{ id: "c", function: { name: "f" } }] };
    const result = { role: "tool", tool_name: "f", content: "seen", images: [PNG] };
    expect(chat({ messages: [user, made, result] }).messages).toMatchObject([
      ...[user, { role: "assistant" }, { role: "tool", tool_call_id: "c", content: "seen" }],
      {
        role: "user",
        content: [
          { type: "text", text: "Attached to the result of c:" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ]);
  });

  test("gives each result to the call that it belongs to", () => {
    const call = (name: string) => ({ function: { name, arguments: { of: name } } });
    const result = (tool_name: string, content: string) => ({ role: "tool", tool_name, content });
    const messages = [
      { role: "assistant", content: "", thinking: "hm", tool_calls: [call("f"), call("g")] },
      ...[result("g", "of g"), result("f", "of f")],
      { role: "assistant", content: "so", tool_calls: [call("f"), call("f")] },
      ...[result("f", "1"), result("f", "2"), { role: "tool", content: "whose?" }],
    ];
    const made = chat({ messages }).messages as Record<string, unknown>[];
    expect(made[0]).toEqual({
      role: "assistant",
      content: null,
      reasoning_content: "hm",
      tool_calls: ["f", "g"].map((name, i) => ({
        ...{ id: `call_${i}`, type: "function" },
        function: { name, arguments: `{"of":"${name}"}` },
      })),
    });
    expect(made.map(({ tool_call_id: id, content }) => [id, content])).toEqual([
      ...[
        [undefined, null],
        ["call_1", "of g"],
        ["call_0", "of f"],
        [undefined, "so"],
      ],
      ...[
        ["call_2", "1"],
        ["call_3", "2"],
        ["call_unknown", "whose?"],
      ],
    ]);
  });

  test("without messages only loads the model, or lets it go", () => {
    const loading = ollamaChatOverChat({ model: "m" });
    expect(loading.body).toMatchObject({ messages: [], stream: false });
    expect(loading.answer({})).toMatchObject({ done: true, done_reason: "load" });
    const leaving = ollamaChatOverChat({ model: "m", messages: [], keep_alive: 0 });
    expect(leaving.body).toMatchObject({ keep_alive: 0 });
    expect(leaving.answer({})).toMatchObject({ done: true, done_reason: "unload" });
  });
});

test("a conversation keeps its texts, thoughts, calls and results", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  const args = fc
    .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }))
    .map(withoutProto);
  const calls = fc.array(fc.record({ id: fc.uuid(), name: text, args, result: text }), {
    minLength: 1,
    maxLength: 3,
  });
  const turn = fc.record({ question: text, thinking: text, calls, answer: text });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 3, minLength: 1 }), (turns) => {
      const messages = turns.flatMap(({ question, thinking, calls, answer }) => [
        { role: "user", content: question },
        {
          ...{ role: "assistant", thinking },
          tool_calls: calls.map(({ id, name, args }) => ({
            ...{ id, function: { name, arguments: args } },
          })),
        },
        ...calls.map(({ id, name, result }) => ({
          ...{ role: "tool", tool_name: name, tool_call_id: id, content: result },
        })),
        { role: "assistant", content: answer },
      ]);
      expect(chat({ messages }).messages).toEqual(
        turns.flatMap(({ question, thinking, calls, answer }): object[] => [
          { role: "user", content: question },
          {
            ...{ role: "assistant", content: null, reasoning_content: thinking },
            tool_calls: calls.map(({ id, name, args }) => ({
              ...{ id, type: "function", function: { name, arguments: JSON.stringify(args) } },
            })),
          },
          ...calls.map(({ id, result }) => ({ role: "tool", content: result, tool_call_id: id })),
          { role: "assistant", content: answer },
        ]),
      );
    }),
  );
});

describe("a generation", () => {
  test("is a chat of a system text and a prompt with images", () => {
    const { path, body } = generate({ prompt: "p", system: "s", images: [PNG], stream: false });
    expect(path).toBe("/v1/chat/completions");
    expect(body.messages).toEqual([
      { role: "system", content: "s" },
      {
        role: "user",
        content: [
          { type: "text", text: "p" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ]);
  });

  test("is a text completion when it is raw", () => {
    const { path, body } = generate({ prompt: "p", raw: true, options: { num_predict: 3 } });
    expect(path).toBe("/v1/completions");
    expect(body).toMatchObject({ model: "m", prompt: "p", max_tokens: 3, stream: true });
    expect(body).not.toHaveProperty("messages");
  });

  test("without a prompt only loads the model", () => {
    expect(generate({}).answer({})).toMatchObject({ response: "", done_reason: "load" });
    expect(generate({ keep_alive: "0s" }).answer({})).toMatchObject({ done_reason: "unload" });
    expect(generate({ keep_alive: "05m" }).answer({})).toMatchObject({ done_reason: "load" });
  });
});

test("embeddings are asked for as numbers", () => {
  const embed = ollamaEmbedOverEmbeddings({
    ...{ model: "m", input: ["a", "b"], dimensions: 4, keep_alive: 5, truncate: true },
  });
  expect([embed.path, embed.body]).toEqual([
    "/v1/embeddings",
    {
      ...{ model: "m", input: ["a", "b"], encoding_format: "float", dimensions: 4, keep_alive: 5 },
    },
  ]);
  const older = ollamaEmbeddingsOverEmbeddings({ model: "m", prompt: "a" });
  expect(older.body).toEqual({ model: "m", input: "a", encoding_format: "float" });
});

test.each<[(request: object) => unknown, object, string]>([
  [chat, { messages: [{ role: "nobody", content: "x" }] }, "messages.0.role"],
  [chat, { messages: [{ ...user, images: ["aGk="] }] }, "messages.0.images.0"],
  [chat, { messages: "hi" }, "messages"],
  [chat, { messages: [user], format: "xml" }, "format"],
  [chat, { messages: [user], options: { temperature: "hot" } }, "options.temperature"],
  [
    chat,
    { messages: [user], tools: [{ type: "function", function: {} }] },
    "tools.0.function.name",
  ],
  [chat, { messages: [user], think: "hard" }, "think"],
  [generate, { prompt: "p", suffix: "s" }, "suffix"],
  [generate, { prompt: "p", template: "{{ .Prompt }}" }, "template"],
  [generate, { prompt: "p", context: [1] }, "context"],
  [generate, { prompt: "p", raw: true, system: "s" }, "system"],
  [generate, { prompt: "p", raw: true, images: [PNG] }, "images"],
  [(request) => ollamaEmbedOverEmbeddings({ model: "m", ...request }), { input: [] }, "input"],
  [(request) => ollamaEmbedOverEmbeddings({ model: "m", ...request }), {}, "input"],
  [(request) => ollamaEmbeddingsOverEmbeddings({ model: "m", ...request }), {}, "prompt"],
])("%p refuses %j and names the field", (translate, request, param) => {
  let thrown: unknown;
  try {
    translate(request);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ApiError);
  expect(thrown).toMatchObject({ status: 400, param });
  expect(String(thrown)).toContain(`\`${param}\``);
});
