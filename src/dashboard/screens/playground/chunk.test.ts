import { expect, test } from "bun:test";
import { eventOf, NO_ANSWER, withChunk } from "./chunk.ts";

const answerOf = (...events: unknown[]) =>
  events.map((event) => eventOf(JSON.stringify(event))).reduce(withChunk, NO_ANSWER);
const delta = (fields: object) => ({ choices: [{ delta: fields }] });

test("pieces of text, of thoughts and of calls are joined", () => {
  const answer = answerOf(
    delta({ role: "assistant", content: null, reasoning: "Think" }),
    delta({ reasoning_content: "ing" }),
    delta({ content: "Hel" }),
    delta({ content: "lo" }),
    delta({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
    delta({ tool_calls: [{ id: "b", function: { name: "g", arguments: "{}" } }] }),
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
    { choices: [], usage: { completion_tokens: 7, prompt_tokens_details: { cached_tokens: 3 } } },
  );
  expect(answer).toEqual({
    step: {
      ...{ content: "Hello", thinking: "Thinking", finish: "tool_calls" },
      calls: [
        { id: "a", name: "f", arguments: '{"x":1}', result: null },
        { id: "b", name: "g", arguments: "{}", result: null },
      ],
    },
    counts: { inputTokens: null, outputTokens: 7, cachedTokens: 3 },
  });
});

test("an answer in one piece is one as well, and what is malformed adds nothing", () => {
  const message = { role: "assistant", content: "All" };
  expect(answerOf({ choices: [{ message, finish_reason: "stop" }] }).step.content).toBe("All");
  expect(answerOf({ choices: "?" }, delta({ content: 3 }), {}).step).toEqual(NO_ANSWER.step);
});

test("what is no event of a chat is shown as it came", () => {
  const told = "What came is no event of a chat: ";
  expect(() => eventOf('"[DONE]"')).toThrow(`${told}"[DONE]"`);
  expect(() => eventOf("<html>")).toThrow(`${told}<html>`);
});
