import { describe, expect, test } from "bun:test";
import { wholeFromStream } from "./wholefromstream.ts";

const stream = (...events: (object | string)[]) =>
  Buffer.from(
    events
      .map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`)
      .join(""),
  );
const whole = (...events: (object | string)[]) => {
  const bytes = wholeFromStream(stream(...events));
  return bytes && JSON.parse(Buffer.from(bytes).toString());
};
const chunk = (choices: object[], more: object = {}) => ({
  ...{ id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices },
  ...more,
});
const piece = (delta: object, finish_reason: string | null = null, index = 0) => ({
  ...{ index, delta, finish_reason },
});

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
