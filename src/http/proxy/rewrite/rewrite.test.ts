import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DONE_FRAME, eventFrame } from "../../../wire/sse.ts";
import { EventLines } from "./lines.ts";
import { ModelRewrite, withModel } from "./model.ts";
import { askingForUsage, UsageEdit } from "./usage.ts";

/** What a stream's edits make of a text, line by line as the relay passes it on. */
function edited(lines: EventLines, text: string): string {
  const pieces = text.split(/(?<=\n)/).map((line) => lines.push(Buffer.from(line)) ?? "");
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString();
}

const chunk = (delta: object, more: object = {}) => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 7,
  model: "m",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const counts = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

describe("a request body under another model name", () => {
  test("is otherwise the same bytes", () => {
    const body = Buffer.from('{ "x": 1.50, "model" : "a", "messages": [{"model":"a"}] }');
    const renamed = Buffer.from(withModel(body, 'b"ö')).toString();
    expect(renamed).toBe('{ "x": 1.50, "model" : "b\\"ö", "messages": [{"model":"a"}] }');
  });

  test("gets one if it has none, or one written in escapes", () => {
    const read = (text: string) =>
      JSON.parse(Buffer.from(withModel(Buffer.from(text), "b")).toString());
    expect(read('{"input":"x"}')).toEqual({ model: "b", input: "x" });
    expect(read(" { }")).toEqual({ model: "b" });
    expect(read('{"mod\\u0065l":"a","input":"x"}')).toEqual({ model: "b", input: "x" });
  });
});

test("what is written anew keeps the digits of integers", () => {
  const long = '"seed":18446744073709551615';
  const named = Buffer.from(withModel(Buffer.from(`{${long}}`), "b")).toString();
  expect(named).toBe(`{"model":"b",${long}}`);
  const last = `{"choices":[{"x":[9007199254740993]}],"usage":{"n":1},${long}}`;
  const sent = new UsageEdit({ asked: false, promptTokens: () => 1 }).edit(Buffer.from(last));
  expect(sent.join("")).toBe(`{"choices":[{"x":[9007199254740993]}],${long}}`);
});

describe("the model's name in answers", () => {
  const names = new ModelRewrite("mine");

  test("is the client's, and nothing else is changed", () => {
    const whole = (text: string) => Buffer.from(names.whole(Buffer.from(text)).bytes).toString();
    expect(whole('{"id":1,"model":"theirs","x":{"model":"theirs"}}')).toBe(
      '{"id":1,"model":"mine","x":{"model":"theirs"}}',
    );
    expect(whole('{"data":[]}')).toBe('{"data":[]}');
  });

  test("is so in every event that has it, one level deeper too", () => {
    const events = [
      eventFrame({ type: "message_start", message: { id: 1, model: "theirs" } }),
      eventFrame({ response: { model: "theirs" } }),
      ": comment\n\n",
      eventFrame({ model: "theirs", choices: [] }),
      eventFrame({ delta: '"model":"theirs"' }),
    ];
    const text = `event: a\n${events.join("")}${DONE_FRAME}`;
    const expected = text.replaceAll(/"model":"theirs"(?=[,}])/g, '"model":"mine"');
    expect(edited(names.stream(), text)).toBe(expected);
    expect(expected.match(/"mine"/g)).toHaveLength(3);
  });
});

test("the model's name in JSON lines is the client's as well", () => {
  const lines = new ModelRewrite("mine").stream("application/x-ndjson");
  const text = '{"model":"theirs","response":"a"}\n{"model":"theirs","done":true}\n';
  expect(edited(lines, text)).toBe(text.replaceAll("theirs", "mine"));
});

describe("usage in streams", () => {
  const text = [
    eventFrame(chunk({ role: "assistant", content: "" })),
    eventFrame(chunk({ content: "a" })),
    eventFrame(chunk({ content: "b" })),
    eventFrame(chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })),
  ];
  const usage = eventFrame({ ...chunk({}), choices: [], usage: counts });
  const run = (asked: boolean, stream: string) =>
    edited(new EventLines([new UsageEdit({ asked, promptTokens: () => 10 })]), stream);
  const read = (stream: string) =>
    stream
      .split("\n\n")
      .filter((one) => one.startsWith("data: {"))
      .map((one) => JSON.parse(one.slice(6)));

  test("that was not asked for is left out, all else stays byte by byte", () => {
    expect(run(false, [...text, usage, DONE_FRAME].join(""))).toBe([...text, DONE_FRAME].join(""));
  });

  test("that comes with the last words is left out of them if it was not asked for", () => {
    const last = chunk({}, { usage: counts });
    expect(run(false, eventFrame(last))).toBe(eventFrame(chunk({})));
  });

  test.each([
    ["after the last words", [...text, usage]],
    ["with the last words", [...text.slice(0, 3), eventFrame(chunk({}, { usage: counts }))]],
  ])("that comes %s comes once, at the end, and null before", (_, events) => {
    const out = run(true, [...events, DONE_FRAME].join(""));
    expect(out.endsWith(DONE_FRAME)).toBe(true);
    const all = read(out);
    expect(all.slice(0, -1).map((event) => event.usage)).toEqual([null, null, null, null]);
    expect(all.at(-1)).toMatchObject({ id: "c1", model: "m", choices: [], usage: counts });
  });

  test.each([null, undefined])(
    "that comes beside %p for choices has a list, or goes",
    (choices) => {
      const told = eventFrame({ ...chunk({}), choices, usage: counts });
      const all = read(run(true, [...text, told, DONE_FRAME].join("")));
      expect(all.at(-1)).toMatchObject({ choices: [], usage: counts });
      expect(run(false, [...text, told, DONE_FRAME].join(""))).toBe([...text, DONE_FRAME].join(""));
    },
  );

  test("that the endpoint does not tell is estimated, and marked so", () => {
    const all = read(run(true, [...text, DONE_FRAME].join("")));
    expect(all.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, estimated: true },
    });
  });

  /** As servers of many kinds send it: every stream has the same texts and the same usage. */
  const done = { index: 0, delta: {}, finish_reason: "stop" };
  const only = { choices: [], usage: counts };
  const nulls = (events: object[]) => events.map((event) => ({ usage: null, ...event }));
  const some = (n: number) => ({ usage: { ...counts, completion_tokens: n } });
  const call = (index: number) => chunk({ tool_calls: [{ index, function: { arguments: "{}" } }] });
  const words = [chunk({ role: "assistant", content: "" }), chunk({ content: "a" }), call(0)];
  const last = chunk({}, { choices: [done] });
  const SHAPES: [string, object[]][] = [
    ["OpenAI, Ollama", [...nulls([...words, last]), chunk({}, only)]],
    ["vLLM", [...words, last, chunk({}, only)]],
    ["vLLM with continuous usage", [...words, last].map((one, i) => ({ ...one, ...some(i) }))],
    ["LM Studio without usage", [...words, last]],
    ["DeepSeek, Mistral", [...words, { ...last, usage: counts }]],
    ["OpenRouter", [...words, last, chunk({ content: "" }, { usage: counts })]],
    ["both ways", [...words, { ...last, usage: counts }, chunk({}, only)]],
    ["Azure", [{ ...chunk({}), id: "", choices: [], prompt_filter_results: [] }, ...words, last]],
    ["llama-server", [...words, last, chunk({}, { ...only, timings: { prompt_n: 3 } })]],
    [
      "several choices",
      [0, 1].flatMap((index) => [...words, last].map((one) => withIndex(one, index))),
    ],
  ];

  test.each(SHAPES)("of %s is OpenAI's if it was asked for", (_, events) => {
    const all = read(run(true, [...events.map((event) => eventFrame(event)), DONE_FRAME].join("")));
    const usages = all.map((event) => event.usage);
    expect(usages.filter((one) => one !== null)).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } });
    const told = (list: object[]) => JSON.stringify(list.map(choicesOf).filter((one) => one[0]));
    expect(told(all)).toBe(told(events));
  });

  test.each(SHAPES)("of %s is not there if it was not", (_, events) => {
    const all = read(
      run(false, [...events.map((event) => eventFrame(event)), DONE_FRAME].join("")),
    );
    for (const { usage } of all) expect(usage ?? null).toBeNull();
    const told = (list: object[]) => JSON.stringify(list.map(choicesOf).filter((one) => one[0]));
    expect(told(all)).toBe(told(events));
  });

  /** With what the end of the stream makes. */
  const ended = (asked: boolean, stream: string) => {
    const lines = new EventLines([new UsageEdit({ asked, promptTokens: () => 10 })]);
    return edited(lines, stream) + Buffer.from(lines.end() ?? "").toString();
  };
  const told = eventFrame({ ...last, usage: counts });

  test.each<[string, string]>([
    ["nothing", told],
    ["no blank line", told.slice(0, -1)],
    ["no line end", told.slice(0, -2)],
    ["a `[DONE]` without a line end", `${told}data: [DONE]`],
    ["one that is cut short, too", `${told}data: [DONE]\n`],
    ["an own event without a line end", told + eventFrame(chunk({}, only)).slice(0, -2)],
    ["a comment", `${told}: bye\n\n`],
  ])("of a stream that ends with %s is told", (_, end) => {
    const [text, plain] = [ended(true, words.map((one) => eventFrame(one)).join("") + end), end];
    const all = read(text);
    expect(all.filter(({ usage }) => usage !== null)).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ choices: [], usage: counts });
    expect(text.includes("[DONE]")).toBe(plain.includes("[DONE]"));
    if (plain.includes("[DONE]")) expect(text.trimEnd()).toEndWith("\n\ndata: [DONE]");
    expect(ended(false, end)).not.toContain("prompt_tokens");
  });

  test("of a stream that ends without `[DONE]` is estimated only if it is finished", () => {
    expect(ended(true, text.join(""))).toContain('"estimated":true');
    expect(ended(true, text.slice(0, -1).join(""))).not.toContain("estimated");
    const error = eventFrame({ error: { message: "gone" } });
    expect(ended(true, text.join("") + error)).toEndWith(error);
  });

  test("in what is no JSON is left alone", () => {
    const event = 'data: {"choices":[{}],"usage":{"a":1},,}\n\n';
    expect([run(true, event), run(false, event)]).toEqual([event, event]);
  });

  test("leaves errors alone", () => {
    const error = eventFrame({ error: { message: "no" } });
    expect(run(true, error)).toBe(error);
    expect(run(false, error)).toBe(error);
  });

  test("is asked for in front of all else", () => {
    const body = Buffer.from(askingForUsage(Buffer.from(' {"model":"m"}'))).toString();
    expect(JSON.parse(body)).toEqual({ model: "m", stream_options: { include_usage: true } });
  });
});

function withIndex(event: object, index: number): object {
  return { ...event, choices: choicesOf(event).map((choice) => ({ ...choice, index })) };
}

function choicesOf(event: object): object[] {
  return "choices" in event && Array.isArray(event.choices) ? event.choices : [];
}

test("editing loses no byte, however long lines are cut", () => {
  const nothing = { needle: undefined, edit: (data: Buffer) => [data] };
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.nat(20)), (texts, sizes) => {
      const bytes = Buffer.from(texts.map((text) => eventFrame(text)).join(""));
      const lines = new EventLines([nothing]);
      const out: Uint8Array[] = [];
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const size = 1 + (sizes[i % Math.max(1, sizes.length)] ?? 5);
        out.push(lines.push(bytes.subarray(at, at + size)) ?? Buffer.alloc(0));
        at += size;
      }
      expect(Buffer.concat(out).equals(bytes)).toBe(true);
    }),
  );
});
