import { describe, expect, test } from "bun:test";
import { withExactDigits } from "../lib/json.ts";
import { chunksOf, completion } from "../testkit/servers/translating.ts";
import { anthropicMessagesOverChat } from "./client/anthropic/translation.ts";
import { ollamaChatOverChat } from "./client/ollama/translation.ts";
import { responsesOverChat } from "./client/responses/translation.ts";
import { composeTranslations } from "./composition.ts";
import { chatOverAnthropic } from "./provider/anthropic/translation.ts";
import { chatOverGoogle } from "./provider/google/translation.ts";
import { TranslationRewrite } from "./rewrite.ts";
import type { Translation } from "./translation.ts";

const messages = [{ role: "user", content: "x" }];
const CLIENTS: [string, () => Translation][] = [
  ["messages", () => anthropicMessagesOverChat({ model: "m", messages, max_tokens: 5 })],
  ["responses", () => responsesOverChat({ model: "m", input: "x" })],
  ["ollama", () => ollamaChatOverChat({ model: "m", messages })],
];
const FINISHED = /message_stop|response\.completed|"done":true/;

/** What a client gets for a stream of these events, which then ends. */
function streamed(translation: Translation, events: (object | string)[]): string {
  const stream = translation.stream?.();
  const data = events.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  const said = data.map((one) => stream?.push({ event: undefined, data: one }));
  return said.join("") + stream?.end();
}

const LO = { type: "text", text: "lo" };
const chunk = (choice: object) => ({ id: "c1", choices: [{ index: 0, ...choice }] });

describe.each(CLIENTS)("an answer that failed on the way: %s", (_, translation) => {
  const error = { code: 502, message: "Upstream idle timeout exceeded" };

  test("is an error where the choice of a stream tells of one", () => {
    const last = { delta: { content: "" }, finish_reason: "error", error };
    const events = [chunk({ delta: { content: "The answer" } }), chunk(last), "[DONE]"];
    const text = streamed(translation(), events);
    expect(text).toContain(error.message);
    expect(text).not.toMatch(FINISHED);
  });

  test.each(["error", "abort", "network_error"])("and where it ends with `%s`", (finish) => {
    const text = streamed(translation(), chunksOf([{ content: "The" }], { finish }));
    expect(text).toContain(`\`${finish}\``);
    expect(text).not.toMatch(FINISHED);
  });

  test.each<[object, string]>([
    [{ error: { code: 500, message: null } }, "did not say why"],
    [{ error: "gone" }, "gone"],
    [{ object: "error", message: "gone", code: 500 }, "gone"],
    [{ error: { message: "gone" }, choices: [] }, "gone"],
  ])("and where an event is one: %j", (event, reason) => {
    const text = streamed(translation(), [chunk({ delta: { content: "The" } }), event, "[DONE]"]);
    expect(text).toContain(reason);
    expect(text).not.toMatch(FINISHED);
  });

  test.each([null, "", {}, false])("but not where there is none: %j", (error) => {
    const events = chunksOf([{ content: "The" }]).map((one) => {
      return typeof one === "string" ? one : { ...one, error };
    });
    expect(streamed(translation(), events)).toMatch(FINISHED);
  });

  test("is an error where the choice of a whole answer tells of one", () => {
    const whole = completion({ content: "" }, "error");
    const failed = { ...whole, choices: [{ index: 0, message: { content: "" }, error }] };
    expect(() => translation().answer(failed)).toThrow(error.message);
    expect(() => translation().answer(whole)).toThrow("`error`");
  });
});

describe.each(CLIENTS)("a finish reason without a word in it: %s", (_, translation) => {
  const piece = (args: string) => ({ tool_calls: [{ index: 0, function: { arguments: args } }] });
  const begin = { id: "call_1", function: { name: "f", arguments: "" } };

  test.each(["", "null"])("is none: %j", (finish_reason) => {
    const deltas = [{ tool_calls: [{ index: 0, ...begin }] }, piece('{"a"'), piece(":1}")];
    const events = deltas.map((delta) => chunk({ delta, finish_reason }));
    const last = chunk({ delta: {}, finish_reason: "tool_calls" });
    const text = streamed(translation(), [...events, last]);
    expect(text).toMatch(FINISHED);
    expect(text.match(/content_block_start"|output_item.done"|"tool_calls"/g)).toHaveLength(1);
    // Not even where nothing follows it.
    expect(streamed(translation(), events)).not.toMatch(FINISHED);
  });
});

describe.each(CLIENTS)("null for what is absent: %s", (_, translation) => {
  const hello = chunk({ delta: { content: "Hello" }, finish_reason: null });
  const end = chunk({ delta: {}, finish_reason: "stop" });
  const usage = { prompt_tokens: 1, completion_tokens: 7 };

  test.each<[string, object[]]>([
    ["choices", [hello, end, { id: "c1", choices: null, usage }]],
    ["a delta", [hello, chunk({ delta: null, finish_reason: "stop" }), { choices: [], usage }]],
    ["ids and times", [{ ...hello, id: null, created: null, model: null }, end, { usage }]],
    ["the first usage", [hello, { ...end, usage: {} }, { choices: [], usage }]],
    ["a later usage", [hello, { ...end, usage }, { choices: null, usage: {} }]],
    ["a part of usage", [hello, end, { usage: { ...usage, prompt_tokens_details: null } }]],
    ["a call's fields", [hello, chunk({ delta: { tool_calls: null } }), end, { usage }]],
  ])("%s of a stream", (_, events) => {
    const text = streamed(translation(), events);
    expect(text).toContain('"Hello"');
    expect(text).toMatch(FINISHED);
    expect(text).toMatch(/"(?:output_tokens|eval_count)":7/);
  });

  const whole = completion({ content: "Hello" }, "stop", { usage });
  const message = (said: object) => ({
    ...whole,
    choices: [{ index: null, message: { role: null, ...said }, finish_reason: "tool_calls" }],
  });
  const fields = { id: null, type: null };
  test.each<[string, object, string]>([
    ["usage", { ...whole, usage: {} }, '"Hello"'],
    ["ids", { ...whole, id: null, model: null, object: null }, '"Hello"'],
    ["a time as text", { ...whole, created: "1700000000" }, '"Hello"'],
    ["a role", message({ content: "Hello" }), '"Hello"'],
    [
      "a call's fields",
      message({ tool_calls: [{ ...fields, function: { name: "f", arguments: { a: 1 } } }] }),
      '"f"',
    ],
    [
      "a call's arguments",
      message({ tool_calls: [{ ...fields, function: { name: "f", arguments: null } }] }),
      '"f"',
    ],
  ])("%s of a whole answer", (_, answer, said) => {
    const text = JSON.stringify(translation().answer(answer));
    expect(text).toContain(said);
    if (said === '"f"') expect(text).toMatch(/"(?:tool_use|call_id|tool_calls)"/);
  });
});

describe.each(CLIENTS)("content in parts, thoughts among them: %s", (_, translation) => {
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "hmm" }], closed: true };
  const more = [{ type: "reference", reference_ids: [1] }, { type: "text" }, null];
  const TOLD = /(?:"(?:thinking|text|delta)":"hmm")/;

  test("is read in a stream", () => {
    const deltas = [{ content: [thinking] }, { content: "Hel" }, { content: [LO, ...more] }];
    const text = streamed(translation(), [...chunksOf(deltas)]);
    expect(text).toMatch(TOLD);
    expect(text).toContain('"Hel"');
    expect(text).toContain('"lo"');
    expect(text).toMatch(FINISHED);
  });

  test("is read in a whole answer", () => {
    const whole = completion({ content: [thinking, { type: "text", text: "Hel" }, LO, ...more] });
    const text = JSON.stringify(translation().answer(whole));
    expect(text).toMatch(TOLD);
    expect(text).toContain('"Hello"');
  });
});

describe.each(CLIENTS)("a call whose id changes from piece to piece: %s", (_, translation) => {
  test.each([{}, { name: "f" }])("is one call, under its first id: %j", (again) => {
    const piece = (id: string, called: object) => ({
      tool_calls: [{ index: 0, id, type: "function", function: called }],
    });
    const deltas = [
      piece("first", { name: "f", arguments: "" }),
      piece("second", { ...again, arguments: '{"a"' }),
      piece("third", { ...again, arguments: ":1}" }),
    ];
    const text = streamed(translation(), chunksOf(deltas, { finish: "tool_calls" }));
    expect(text).toMatch(FINISHED);
    expect(text).toContain('"first"');
    expect(text).not.toMatch(/second|third/);
    expect(text.match(/content_block_start"|output_item.done"|"tool_calls"/g)).toHaveLength(1);
  });

  test("and one whose name comes late has it", () => {
    const piece = (id: string | null, called: object) => ({
      tool_calls: [{ index: 0, id, function: called }],
    });
    const deltas = [
      piece(null, { arguments: '{"a"' }),
      piece("c", { name: "f", arguments: ":1}" }),
    ];
    const text = streamed(translation(), chunksOf(deltas, { finish: "tool_calls" }));
    expect(text).toMatch(FINISHED);
    expect(text).not.toContain('"name":""');
    expect(text).toContain('"name":"f"');
  });
});

describe("a call whose arguments are no JSON", () => {
  const called = { id: "c1", type: "function", function: { name: "f", arguments: '{"a": 1,}' } };
  const whole = completion({ content: "Sure.", tool_calls: [called] }, "tool_calls");
  const [messagesClient, responsesClient, ollamaClient] = CLIENTS.map(([, client]) => client);

  test.each([messagesClient, ollamaClient])(
    "is an error that nobody else is asked for",
    (client) => {
      let thrown: unknown;
      try {
        client?.().answer(whole);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ kind: "tool_call_failed", status: 422, retryable: false });
      expect(thrown).toMatchObject({ message: expect.stringContaining("`f`") });
    },
  );

  test.each([messagesClient, ollamaClient])("is left out where the limit cut it", (client) => {
    const cut = completion({ content: "Sure.", tool_calls: [called] }, "length");
    const text = JSON.stringify(client?.().answer(cut));
    expect(text).toContain("Sure.");
    expect(text).not.toContain('"f"');
  });

  test("is told as it is where calls are texts", () => {
    expect(JSON.stringify(responsesClient?.().answer(whole))).toContain('"{\\"a\\": 1,}"');
  });
});

describe.each(CLIENTS)("integers beyond 2^53 in a call: %s", (_, translation) => {
  const ID = "9007199254740993";
  const called = { id: "c1", function: { name: "f", arguments: `{"id":${ID},"of":[-${ID}]}` } };

  test("keep their digits in a whole answer", () => {
    const whole = completion({ tool_calls: [called] }, "tool_calls");
    const text = JSON.stringify(translation().answer(whole));
    expect(text.match(/9007199254740993/g)).toHaveLength(2);
  });

  test("keep their digits in a stream", () => {
    const deltas = [{ tool_calls: [{ index: 0, ...called }] }];
    const text = streamed(translation(), chunksOf(deltas, { finish: "tool_calls" }));
    expect(text).toContain(ID);
    expect(text).not.toContain("9007199254740992");
  });
});

describe("integers beyond 2^53 in a request", () => {
  const ID = "9007199254740993";
  const MAX = "18446744073709551615";
  const input = `{"id":${ID}}`;
  const schema = `{"type":"object","properties":{"id":{"type":"integer","maximum":${MAX}}}}`;
  const use = `{"type":"tool_use","id":"t1","name":"f","input":${input}}`;
  const turns = `{"role":"user","content":"x"},{"role":"assistant","content":[${use}]}`;
  const call = `{"function":{"name":"f","arguments":${input}}}`;
  const tool = `{"function":{"name":"f","parameters":${schema}}}`;

  test.each<[string, (request: unknown) => Translation, string]>([
    [
      "messages",
      anthropicMessagesOverChat,
      `{"model":"m","messages":[${turns}],"tools":[{"name":"f","input_schema":${schema}}]}`,
    ],
    [
      "ollama",
      ollamaChatOverChat,
      `{"model":"m","messages":[{"role":"assistant","tool_calls":[${call}]}],"tools":[${tool}]}`,
    ],
    [
      "messages, put to a cloud",
      (request) =>
        composeTranslations(anthropicMessagesOverChat(request), (chat) =>
          chatOverAnthropic(chat as object),
        ),
      `{"model":"m","messages":[${turns}],"tools":[{"name":"f","input_schema":${schema}}]}`,
    ],
  ])("keep their digits: %s", (_, translate, body) => {
    const bytes = new TextEncoder().encode(body);
    const sent = JSON.stringify(
      translate(withExactDigits({ bytes, value: JSON.parse(body) })).body,
    );
    expect(sent).toContain(`"maximum":${MAX}`);
    expect(sent).toMatch(/\{\\?"id\\?":9007199254740993\}/);
  });
});

test.each<[string, (request: object) => { body: object }, object]>([
  ["messages", anthropicMessagesOverChat, { seed: 1 }],
  ["responses", responsesOverChat, { input: "x", seed: 1 }],
  ["ollama", ollamaChatOverChat, { options: { seed: 1 } }],
  ["chats over Google", chatOverGoogle, { seed: 1 }],
])("a seed of 64 bits keeps its digits: %s", (_, translate, body) => {
  const text = JSON.stringify({ model: "m", messages, ...body });
  const big = text.replace('"seed":1', '"seed":9007199254740993');
  const asked = withExactDigits({ bytes: new TextEncoder().encode(big), value: JSON.parse(big) });
  expect(JSON.stringify(translate(asked).body)).toContain('"seed":9007199254740993');
});

test("integers beyond 2^53 in a cloud's call keep their digits", async () => {
  const text =
    '{"content":[{"type":"tool_use","id":"t","name":"f","input":{"id":9007199254740993}}]}';
  const translation = chatOverAnthropic({ model: "m", messages });
  const options = { translation, model: "m", dialect: "openai" as const, requestId: "r" };
  const { bytes } = await new TranslationRewrite(options).whole(Buffer.from(text), 200);
  expect(Buffer.from(bytes).toString()).toContain(String.raw`{\"id\":9007199254740993}`);
});

describe("a request of chat completions", () => {
  const request = (more: object) => chatOverAnthropic({ model: "m", messages, ...more }).body;

  test("may say null for what is absent", () => {
    const described = { name: "f", description: null, parameters: null, strict: null };
    const nothing = { stop: null, seed: null, tool_choice: null, stream_options: null, user: null };
    const tools = [{ type: "function", function: described }];
    expect(request({ ...nothing, tools })).toMatchObject({
      tools: [{ name: "f", input_schema: { type: "object" } }],
    });
    const named = { role: "user", content: "x", name: null };
    expect(request({ messages: [named] })).toMatchObject({ messages });
  });

  test("may have arguments that are an object, and an answer in parts with thoughts", () => {
    const called = { id: "c", type: "function", function: { name: "f", arguments: { a: 1 } } };
    const thinking = { type: "thinking", thinking: [{ type: "text", text: "hmm" }] };
    const said = { role: "assistant", content: [thinking, LO], tool_calls: [called] };
    const result = { role: "tool", tool_call_id: "c", content: "r" };
    const body = request({ messages: [...messages, said, result] });
    expect(JSON.stringify(body)).toContain('"input":{"a":1}');
    expect(JSON.stringify(body)).toContain('{"type":"text","text":"lo"}');
  });
});

test.each(CLIENTS)("calls without end are an error of the endpoint: %s", (_, translation) => {
  const stream = translation().stream?.();
  let text = "";
  for (let from = 0; from < 160_000 && !text.includes("broke off"); from += 10_000) {
    const calls = Array.from({ length: 10_000 }, (_, i) => ({ index: from + i }));
    text += stream?.push({
      event: undefined,
      data: JSON.stringify(chunk({ delta: { tool_calls: calls } })),
    });
  }
  expect(text).toContain("The answer broke off");
});
