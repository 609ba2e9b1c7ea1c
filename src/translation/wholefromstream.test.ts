import { describe, expect, test } from "bun:test";
import { parseExactObject } from "../lib/json.ts";
import { wholeFromStream } from "./wholefromstream.ts";

const stream = (...events: (object | string)[]) =>
  Buffer.from(
    events
      .map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`)
      .join(""),
  );
const whole = (...events: (object | string)[]) => {
  const bytes = wholeFromStream(stream(...events));
  if (bytes instanceof Promise) throw new Error("It is not read at once.");
  return bytes && JSON.parse(Buffer.from(bytes).toString());
};
const chunk = (choices: object[], more: object = {}) => ({
  ...{ id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices },
  ...more,
});
const piece = (delta: object, finish_reason: string | null = null, index = 0) => ({
  ...{ index, delta, finish_reason },
});

/** A piece of a call, as the tests change it. */
interface Call {
  id?: string | undefined;
  index?: number | undefined;
  name?: string | undefined;
  args?: unknown;
}
interface WrittenCall {
  function: { name: string; arguments: string };
}
/** Arguments with a number that JSON would not keep. */
const ARGS = parseExactObject('{"n":1234567890123456789}');

describe("a stream in one piece", () => {
  test("is a chat with text, thoughts and usage", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const answer = whole(
      chunk([piece({ role: "assistant", content: "" })]),
      chunk([piece({ reasoning_content: "hm" })]),
      chunk([piece({ content: "Hel" }), piece({ content: "other" }, "length", 1)]),
      chunk([piece({ content: "lo" }, "stop")], { usage: null }),
      chunk([], { usage }),
      "[DONE]",
    );
    expect(answer).toMatchObject({ id: "c1", object: "chat.completion", model: "m", usage });
    expect(answer.choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: "Hello", reasoning_content: "hm" },
        finish_reason: "stop",
      },
      { index: 1, message: { role: "assistant", content: "other" }, finish_reason: "length" },
    ]);
  });

  test("has its tool calls, numbered or not, with every digit", () => {
    const call = (more: object, text: string) => ({
      tool_calls: [{ ...more, function: { name: "id" in more ? "f" : null, arguments: text } }],
    });
    const answer = whole(
      chunk([piece(call({ index: 0, id: "a" }, '{"n":'))]),
      chunk([piece(call({ index: 0 }, "12345678901234567890}"))]),
      chunk([piece(call({ id: "b" }, "{"))]),
      chunk([piece(call({}, "}"), "tool_calls")]),
    );
    expect(answer.choices[0].message).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [
        {
          type: "function",
          id: "a",
          function: { name: "f", arguments: '{"n":12345678901234567890}' },
        },
        { type: "function", id: "b", function: { name: "f", arguments: "{}" } },
      ],
    });
  });

  describe.each<[string, (call: Call, i: number) => Call]>([
    ["whose arguments are objects", ({ id, index, name }) => ({ id, index, name, args: ARGS })],
    ["without an index", ({ index: _, ...call }) => call],
    ["without index and id", ({ name, args }) => ({ name, args })],
    ["that all have one index", (call) => ({ ...call, index: 0 })],
    ["whose ids change", (call, i) => ({ ...call, id: call.id ?? `other_${i}` })],
  ])("has calls %s", (_, change) => {
    test.each([false, true])("in a chunk each: %p", (isWhole) => {
      const text = (at: number, end?: number) => `{"n":1234567890123456789}`.slice(at, end);
      const told: Call[] = [0, 1].flatMap((index) => {
        const first = { id: `call_${index}`, index, name: `f${index}` };
        if (isWhole) return [{ ...first, args: text(0) }];
        return [
          { ...first, args: text(0, 5) },
          { index, args: text(5) },
        ];
      });
      const calls = told.map(change).filter(({ name, args }) => name ?? args !== ARGS);
      const pieces = calls.map(({ name, args, ...more }) =>
        chunk([piece({ tool_calls: [{ ...more, function: { name, arguments: args } }] })]),
      );
      const answer = whole(...pieces, chunk([piece({}, "tool_calls")]), "[DONE]");
      const found = answer.choices[0].message.tool_calls.map((call: WrittenCall) => call.function);
      expect(found).toEqual([0, 1].map((i) => ({ name: `f${i}`, arguments: text(0) })));
    });
  });

  test("keeps what is said in parts, and words beside them", () => {
    const thought = { type: "thinking", thinking: [{ type: "text", text: "hm" }] };
    const said = [{ content: [thought] }, { content: "Hel" }, { content: "lo" }];
    const answer = whole(...said.map((delta) => chunk([piece(delta)])), "[DONE]");
    const { content } = answer.choices[0].message;
    expect(content[0]).toEqual(thought);
    expect(content.map((part: { text?: string }) => part.text ?? "").join("")).toBe("Hello");
  });

  test("has the usage that is told beside no choices, whatever is written for none", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    for (const choices of [null, undefined, []]) {
      const last = { ...chunk([]), choices, usage };
      expect(whole(chunk([piece({ content: "a" }, "stop")]), last, "[DONE]")).toMatchObject({
        usage,
      });
    }
  });

  test("may number its choices in letters, and write its whole answer into one event", () => {
    const lettered = { ...piece({ content: "a" }, "stop"), index: "0" };
    expect(whole(chunk([lettered])).choices).toMatchObject([{ message: { content: "a" } }]);
    const answer = { choices: [{ index: 0, message: { content: "a" }, finish_reason: "stop" }] };
    expect(whole(answer, "[DONE]")).toEqual(answer);
  });

  test("is over with `[DONE]`, whatever comes behind it", () => {
    const said = chunk([piece({ content: "a" }, "stop")]);
    for (const more of [said, { error: { message: "gone" } }]) {
      expect(whole(said, "[DONE]", more).choices[0].message.content).toBe("a");
    }
  });

  test("is a chat where each piece is the text of a completion, too", () => {
    const both = (text: string, end: string | null) => ({ ...piece({ content: text }, end), text });
    const answer = whole(chunk([both("a", null)]), chunk([both("b", "stop")]), "[DONE]");
    expect(answer.choices).toEqual([
      { index: 0, message: { role: "assistant", content: "ab" }, finish_reason: "stop" },
    ]);
  });

  test("is a completion", () => {
    const text = (text: string, finish_reason: string | null) =>
      chunk([{ index: 0, text, finish_reason }], { object: "text_completion" });
    const answer = whole(text("a", null), text("b", "stop"), "[DONE]");
    expect(answer).toMatchObject({ object: "text_completion" });
    expect(answer.choices).toEqual([{ index: 0, text: "ab", finish_reason: "stop" }]);
  });

  test("is a response", () => {
    const response = { id: "r1", status: "completed", output: [] };
    const events = [{ type: "response.created" }, { type: "response.completed", response }];
    expect(whole(...events)).toEqual(response);
  });

  test.each([
    ["that ends too early", [chunk([piece({ content: "Hel" })])]],
    ["without any choice", [chunk([])]],
    ["with an error", [chunk([piece({ content: "a" }, "stop")]), { error: { message: "no" } }]],
  ])("%s is a failure of the endpoint", (_, events) => {
    expect(() => whole(...events)).toThrow(expect.objectContaining({ kind: "upstream" }));
  });

  test("of another kind is left alone", () => {
    expect(whole({ type: "speech.audio.delta" })).toBeUndefined();
    expect(whole("[DONE]")).toBeUndefined();
  });
});

describe("a long stream in one piece", () => {
  const long = (...last: (object | string)[]) => {
    const pieces = Array.from({ length: 20_000 }, (_, i) => chunk([piece({ content: `ä${i} ` })]));
    return wholeFromStream(stream(...pieces, ...last));
  };

  test("is read in turns, wherever its pieces end", async () => {
    let turns = 0;
    const beat = setInterval(() => {
      turns += 1;
    }, 0);
    const bytes = await long(chunk([piece({}, "stop")]), "[DONE]");
    clearInterval(beat);
    expect(turns).toBeGreaterThan(3);
    const { choices } = JSON.parse(Buffer.from(bytes ?? []).toString());
    const content = Array.from({ length: 20_000 }, (_, i) => `ä${i} `).join("");
    expect(choices[0]).toMatchObject({ message: { content }, finish_reason: "stop" });
  });

  test("is an error if it ends too early", () => {
    expect(Promise.resolve(long())).rejects.toThrow("ended too early");
  });
});
