import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chunksOf, completion, serverEvent, USAGE } from "../../../testkit/servers/translating.ts";
import { withoutProto } from "../../../testkit/translation/proto.ts";
import type { Translation } from "../../translation.ts";
import { ollamaEmbeddingsOverEmbeddings, ollamaEmbedOverEmbeddings } from "./embeddings.ts";
import { ollamaGenerateOverChat } from "./generate.ts";
import { ollamaChatOverChat } from "./translation.ts";

const CHAT = { model: "mine", messages: [{ role: "user", content: "x" }] };
const GENERATE = { model: "mine", prompt: "x" };

interface Line {
  error?: string;
  response?: string;
  message?: { content: string; thinking?: string; tool_calls?: object[] };
  done?: boolean;
  done_reason?: string;
}

/** A clock that goes on by 2 ms each time it is looked at. */
function ticking(): () => number {
  let ms = 0;
  return () => {
    ms += 2;
    return ms;
  };
}

function lines(translation: Translation, events: (object | string)[]): Line[] {
  const stream = translation.stream?.();
  expect(stream?.contentType).toBe("application/x-ndjson");
  const text = events.map((event) => stream?.push(serverEvent(event))).join("") + stream?.end();
  expect(text).toEndWith("\n");
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

const call = (index: number, piece: object) => ({ tool_calls: [{ index, ...piece }] });

describe("a whole answer", () => {
  test("has the text, the thought, the calls and what it took", () => {
    const tool_calls = [
      { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
      { id: "b", type: "function", function: { name: "g", arguments: "" } },
    ];
    const message = { content: "Hi", reasoning_content: "hm", tool_calls };
    const timings = { prompt_ms: 1.5, predicted_ms: 2.5 };
    const answer = completion(message, "tool_calls", { usage: USAGE, timings });
    expect(ollamaChatOverChat(CHAT, ticking()).answer(answer)).toEqual({
      model: "mine",
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      message: {
        role: "assistant",
        content: "Hi",
        thinking: "hm",
        tool_calls: [
          { id: "a", function: { index: 0, name: "f", arguments: { x: 1 } } },
          { id: "b", function: { index: 1, name: "g", arguments: {} } },
        ],
      },
      ...{ done: true, done_reason: "stop", total_duration: 2e6, load_duration: 0 },
      ...{ prompt_eval_count: 7, prompt_eval_duration: 1.5e6, eval_count: 5, eval_duration: 2.5e6 },
    });
  });

  test.each([
    ["eos", "stop"],
    ["function_call", "stop"],
    ["length", "length"],
    ["content_filter", "content_filter"],
  ])("that ended with `%s` is done by `%s`", (finish, done_reason) => {
    const answer = completion({ content: "Hi" }, finish);
    expect(ollamaChatOverChat(CHAT).answer(answer)).toMatchObject({ done: true, done_reason });
  });

  test("of a generation is its response, raw or not", () => {
    const said = ollamaGenerateOverChat(GENERATE).answer(completion({ content: "Hi" }, "length"));
    expect(said).toMatchObject({ response: "Hi", done: true, done_reason: "length" });
    const raw = ollamaGenerateOverChat({ ...GENERATE, raw: true });
    const json = { choices: [{ text: "Hi", finish_reason: "stop" }], usage: USAGE };
    expect(raw.answer(json)).toMatchObject({ response: "Hi", eval_count: 5, eval_duration: 0 });
  });

  test.each([
    {},
    { choices: [] },
    completion({ tool_calls: [{ id: "a", function: { name: "f", arguments: "[1" } }] }),
    completion({ tool_calls: [{ id: "a", function: { name: "f", arguments: "[1]" } }] }),
  ])("that makes no sense is an error of the endpoint: %j", (json) => {
    expect(() => ollamaChatOverChat(CHAT).answer(json)).toThrow("could not be read");
  });
});

describe("a stream", () => {
  test("has a line for each piece, the calls whole, and what it took", () => {
    const deltas = [
      { role: "assistant", content: "" },
      { reasoning_content: "hm" },
      { content: "Hi" },
      call(0, { id: "a", function: { name: "f", arguments: '{"x"' } }),
      call(1, { id: "b", function: { name: "g", arguments: "{}" } }),
      call(0, { function: { arguments: ":1}" } }),
    ];
    const events = chunksOf(deltas, { finish: "tool_calls", usage: USAGE });
    const got = lines(ollamaChatOverChat(CHAT, ticking()), events);
    const role = "assistant";
    const told: unknown[] = got.map(({ message, done }) => ({ message, done }));
    expect(told).toEqual([
      { message: { role, content: "", thinking: "hm" }, done: false },
      { message: { role, content: "Hi" }, done: false },
      {
        message: {
          role,
          content: "",
          tool_calls: [
            { id: "a", function: { index: 0, name: "f", arguments: { x: 1 } } },
            { id: "b", function: { index: 1, name: "g", arguments: {} } },
          ],
        },
        done: false,
      },
      { message: { role, content: "" }, done: true },
    ]);
    // The clock was looked at for the start, for five pieces, and at the end.
    expect(got.at(-1)).toMatchObject({
      ...{ done_reason: "stop", prompt_eval_count: 7, eval_count: 5 },
      ...{ total_duration: 12e6, prompt_eval_duration: 2e6, eval_duration: 8e6 },
    });
  });

  test("takes the endpoint's own measurements where it tells them", () => {
    const timings = { prompt_ms: 30, predicted_ms: 40 };
    const events = chunksOf([{ content: "Hi" }], { usage: USAGE, more: { timings } });
    const last = lines(ollamaChatOverChat(CHAT), events).at(-1);
    expect(last).toMatchObject({ prompt_eval_duration: 30e6, eval_duration: 40e6 });
  });

  test("of a raw generation is its text", () => {
    const raw = ollamaGenerateOverChat({ ...GENERATE, raw: true });
    const events = [
      { choices: [{ index: 0, text: "H", finish_reason: null }] },
      { choices: [{ index: 0, text: "i", finish_reason: "stop" }] },
      "[DONE]",
    ];
    const got = lines(raw, events);
    expect(got.map(({ response }) => response)).toEqual(["H", "i", ""]);
    expect(got.at(-1)).toMatchObject({ done: true, done_reason: "stop" });
  });

  const hi = chunksOf([{ content: "Hi" }]);
  const broken = [call(0, { id: "a", function: { name: "f", arguments: "{" } })];
  test.each<[string, (object | string)[], RegExp]>([
    ["it breaks off", hi.slice(0, 1), /broke off/],
    ["nothing comes", [], /broke off/],
    ["an error comes", [...hi.slice(0, 1), { error: { message: "oh" } }, ...hi.slice(1)], /oh/],
    ["no JSON comes", ["{"], /no JSON/],
    ["a call is broken", chunksOf(broken), /no JSON object/],
  ])("ends with an error when %s", (_, events, reason) => {
    const got = lines(ollamaChatOverChat(CHAT), events);
    expect(got.at(-1)?.error).toMatch(reason);
    expect(got.some(({ done }) => done === true)).toBe(false);
  });
});

test("a stream, cut anywhere, says what the whole answer says", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  const args = fc
    .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }))
    .map(withoutProto);
  const calls = fc.array(fc.record({ id: fc.uuid(), name: text, args }), { maxLength: 3 });
  const finish = fc.constantFrom("stop", "tool_calls", "length", "content_filter");
  const cut = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(text, text, calls, finish, cut, (thought, content, calls, finish, cut) => {
      const texts = calls.map(({ args }) => JSON.stringify(args));
      const tool_calls = calls.map(({ id, name }, i) => ({
        ...{ id, type: "function", function: { name, arguments: texts[i] } },
      }));
      const answer = completion({ reasoning_content: thought, content, tool_calls }, finish);
      const sent = JSON.stringify(ollamaChatOverChat(CHAT).answer(answer));
      const whole = JSON.parse(sent) as Line;
      const deltas = [
        ...pieces(thought, cut).map((reasoning_content) => ({ reasoning_content })),
        ...pieces(content, cut).map((content) => ({ content })),
        ...calls.flatMap(({ id, name }, i) => [
          call(i, { id, function: { name } }),
          ...pieces(texts[i] ?? "", cut).map((piece) =>
            call(i, { function: { arguments: piece } }),
          ),
        ]),
      ];
      const got = lines(ollamaChatOverChat(CHAT), chunksOf(deltas, { finish }));
      expect(got.map(({ message }) => message?.content).join("")).toBe(content);
      expect(got.map(({ message }) => message?.thinking ?? "").join("")).toBe(thought);
      expect(got.flatMap(({ message }) => message?.tool_calls ?? [])).toEqual(
        whole.message?.tool_calls ?? [],
      );
      expect(got.at(-1)?.done_reason).toBe(whole.done_reason ?? "");
      expect(whole.message).toMatchObject({ content });
    }),
    { numRuns: 300 },
  );
});

function pieces(text: string, length: number): string[] {
  const chars = [...text];
  const found: string[] = [];
  while (chars.length > 0) found.push(chars.splice(0, length).join(""));
  return found;
}

describe("embeddings", () => {
  const data = [
    { index: 1, embedding: [3, 4] },
    { index: 0, embedding: [1, 2] },
  ];
  const embed = () => ollamaEmbedOverEmbeddings({ model: "mine", input: ["a", "b"] }, ticking());

  test("are in the order of the texts", () => {
    expect(embed().answer({ data, usage: { prompt_tokens: 6 } })).toEqual({
      model: "mine",
      embeddings: [
        [1, 2],
        [3, 4],
      ],
      ...{ total_duration: 2e6, load_duration: 0, prompt_eval_count: 6 },
    });
    const older = ollamaEmbeddingsOverEmbeddings({ model: "mine", prompt: "a" });
    expect(older.answer({ data: [data[1]] })).toEqual({ embedding: [1, 2] });
  });

  test("that are missing, or no numbers, are an error of the endpoint", () => {
    expect(() => embed().answer({ data: [data[0]] })).toThrow("1 embeddings of 2");
    expect(() => embed().answer({ data: [{ embedding: "AAAA" }] })).toThrow("could not be read");
  });
});
