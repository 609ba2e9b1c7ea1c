import fc from "fast-check";
import type { ChatRequest } from "../../wire/chat.ts";
import { withoutProto } from "./proto.ts";

/** Generators of chat requests and answers whose every field Google has, too. */

const text = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,12}$/);
const base64 = fc
  .uint8Array({ maxLength: 24 })
  .map((bytes) => Buffer.from(bytes).toString("base64"));
const json = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }).map(withoutProto);
const signature = base64
  .filter((value) => value !== "")
  .map((thought_signature) => ({
    extra_content: { google: { thought_signature } },
  }));

const textPart = text.map((value) => ({ type: "text", text: value }));
const imagePart = fc
  .oneof(
    fc
      .tuple(fc.constantFrom("png", "jpeg", "webp"), base64)
      .map(([type, data]) => `data:image/${type};base64,${data}`),
    fc.constantFrom("https://example.com/cat.png", "http://example.com/no-ending"),
  )
  .map((url) => ({ type: "image_url", image_url: { url } }));
const audioPart = fc
  .record({ data: base64, format: fc.constantFrom("wav", "mp3") })
  .map((input_audio) => ({ type: "input_audio", input_audio }));
const filePart = base64.map((data) => ({
  type: "file",
  file: { file_data: `data:application/pdf;base64,${data}` },
}));
const userPart = fc.oneof(textPart, imagePart, audioPart, filePart);

const system = fc.array(textPart, { minLength: 1, maxLength: 2 }).map((content) => ({
  role: "system",
  content,
}));
const user = fc.array(userPart, { minLength: 1, maxLength: 3 }).map((content) => ({
  role: "user",
  content,
}));
const said = fc.record(
  {
    role: fc.constant("assistant"),
    content: fc.array(textPart, { minLength: 1, maxLength: 2 }),
    reasoning_content: text,
  },
  { requiredKeys: ["role", "content"] },
);
const signedSaid = fc
  .tuple(said, fc.option(signature, { nil: {} }))
  .map(([a, b]) => ({ ...a, ...b }));

const call = fc
  .tuple(fc.uuid(), name, json, fc.option(signature, { nil: {} }))
  .map(([id, called, args, signed]) => ({
    id,
    type: "function",
    function: { name: called, arguments: JSON.stringify(JSON.parse(JSON.stringify(args))) },
    ...signed,
  }));
const answerText = fc.oneof(
  fc.string({ maxLength: 30 }).filter((value) => value !== ""),
  json.map((value) => JSON.stringify(JSON.parse(JSON.stringify(value)))),
  fc.constantFrom('{"id":12345678901234567890}', '{"output":"x"}', "[1,2]", "{", '{"a":1,"a":2}'),
);

/** A turn of tools: calls, then an answer to each. */
const toolTurn = fc
  .array(fc.tuple(call, answerText), { minLength: 1, maxLength: 3 })
  .map((pairs) => [
    { role: "assistant", tool_calls: pairs.map(([one]) => one) },
    ...pairs.map(([{ id }, value]) => ({
      role: "tool",
      tool_call_id: id,
      content: [{ type: "text", text: value }],
    })),
  ]);

const turns = fc
  .array(
    fc.oneof(
      user.map((one) => [one]),
      signedSaid.map((one) => [one]),
      toolTurn,
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  // Answers of two turns that follow each other belong to different calls: something is between.
  .map((all) => all.flat());

const tool = fc
  .record({ name, description: text, parameters: json }, { requiredKeys: ["name"] })
  .map((declared) => ({ type: "function", function: declared }));

const number = (max: number) => fc.double({ min: 0, max, noNaN: true }).map(Math.fround);

const settings = fc.record(
  {
    max_completion_tokens: fc.integer({ min: 1, max: 9999 }),
    temperature: number(2),
    top_p: number(1),
    top_k: fc.integer({ min: 1, max: 100 }),
    stop: fc.array(text, { minLength: 1, maxLength: 3 }),
    seed: fc.integer(),
    n: fc.integer({ min: 1, max: 4 }),
    presence_penalty: number(2),
    frequency_penalty: number(2),
    response_format: fc.oneof(
      fc.constant({ type: "json_object" }),
      json.map((schema) => ({ type: "json_schema", json_schema: { name: "answer", schema } })),
    ),
    reasoning_effort: fc.constantFrom("none", "minimal", "low", "medium", "high"),
    stream: fc.constant(true),
  },
  { requiredKeys: [] },
);

/** Tools and the choice among them; nothing, or both. */
const tools = fc.array(tool, { minLength: 1, maxLength: 3 }).chain((declared) =>
  fc
    .constantFrom("none", "auto", "required", {
      type: "function",
      function: { name: declared[0]?.function.name },
    })
    .map((tool_choice) => ({ tools: declared, tool_choice })),
);

export const chatRequest = fc
  .tuple(
    fc.option(system, { nil: undefined }),
    turns,
    settings,
    fc.option(tools, { nil: {} }),
    fc.constantFrom({}, { logprobs: true }, { logprobs: true, top_logprobs: 3 }),
  )
  .map(([first, messages, ...more]) => ({
    model: "gemini-3-flash",
    messages: first === undefined ? messages : [first, ...messages],
    ...Object.assign({}, ...more),
  })) as fc.Arbitrary<ChatRequest>;

/** One part of an answer of Google. */
const part = fc.oneof(
  text.map((value) => ({ text: value })),
  text.map((value) => ({ text: value, thought: true })),
  fc
    .tuple(fc.uuid(), name, json, fc.option(base64, { nil: "" }))
    .map(([id, called, args, signed]) => ({
      functionCall: { id, name: called, args },
      ...(signed === "" ? {} : { thoughtSignature: signed }),
    })),
);

const count = fc.integer({ min: 0, max: 5000 });

/** Answers of Google: each candidate with its parts and why it stopped. */
export const googleAnswer = fc.record({
  candidates: fc
    .array(
      fc.tuple(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("STOP", "MAX_TOKENS", "SAFETY"),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) =>
      all.map(([parts, finishReason], index) => ({
        content: { role: "model", parts },
        finishReason,
        index,
      })),
    ),
  usageMetadata: fc.record({
    promptTokenCount: count,
    candidatesTokenCount: count,
    cachedContentTokenCount: count,
    thoughtsTokenCount: count,
  }),
  responseId: fc.stringMatching(/^[A-Za-z0-9_-]{4,20}$/),
});
