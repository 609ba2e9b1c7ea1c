import { describe, expect, test } from "bun:test";
import { DONE_FRAME, eventFrame } from "../../../wire/sse.ts";
import { EventLines } from "./lines.ts";
import { hasLastEvent, STREAM_ENDS, StreamEndCheck } from "./streamend.ts";
import { UsageEdit } from "./usage.ts";

const chunk = (content: string, finish_reason: string | null = null) =>
  eventFrame({ choices: [{ index: 0, delta: { content }, finish_reason }] });
const SAID = chunk("Hel") + chunk("lo");
const FINISHED = SAID + chunk("", "stop");
const USAGE = eventFrame({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } });

/** What clients of a route get for a stream in these pieces, which then ends. */
function passed(route: string, ...pieces: string[]): string {
  const end = STREAM_ENDS[route];
  if (end === undefined) throw new Error(`${route} has no end`);
  const check = new StreamEndCheck(end);
  const said = pieces.map((piece) => (check.isOver ? undefined : check.push(Buffer.from(piece))));
  const last = check.isOver ? undefined : check.end();
  return [...said, last].map((bytes) => Buffer.from(bytes ?? []).toString()).join("");
}

describe("a stream of completions", () => {
  test.each([
    ["as it should be", [FINISHED, DONE_FRAME]],
    ["in one piece", [FINISHED + DONE_FRAME]],
    ["with spaces in its JSON", [FINISHED.replaceAll('":', '": '), DONE_FRAME]],
    ["with lines that end in CR LF", [(FINISHED + DONE_FRAME).replaceAll("\n", "\r\n")]],
    ["of many events", [...Array.from({ length: 20 }, () => SAID), DONE_FRAME]],
    ["with an error", [SAID, eventFrame({ error: { message: "gone" } }), DONE_FRAME]],
    ["that ends with an error", [SAID, eventFrame({ error: { message: "gone" } })]],
    ["with an error behind its end", [FINISHED, eventFrame({ error: "gone" })]],
  ])("passes as it is: %s", (_, pieces) => {
    expect(passed("chat", ...pieces)).toBe(pieces.join(""));
  });

  test.each([
    ["an error", eventFrame({ error: { message: "gone" } })],
    ["words", SAID],
    ["comments", ": over\n\n"],
  ])("has nothing behind `[DONE]`: %s", (_, more) => {
    expect(passed("chat", FINISHED, DONE_FRAME + more)).toBe(FINISHED + DONE_FRAME);
    expect(passed("generate", FINISHED + DONE_FRAME, more)).toBe(FINISHED + DONE_FRAME);
  });

  test.each([
    ["nothing", []],
    ["comments only", [": wait\n\n", ": wait\n\n"]],
    ["only `[DONE]`", [DONE_FRAME]],
    ["comments and `[DONE]`", [`: wait\n\n${DONE_FRAME}`]],
    ["no end", [SAID]],
    ["a finish reason without a word in it", [chunk("Hi", ""), chunk("", "null")]],
    ["the word of an end in its text", [chunk('{"finish_reason":"stop"}')]],
  ])("is broken with %s", (_, pieces) => {
    expect(() => passed("chat", ...pieces)).toThrow(
      expect.objectContaining({ kind: "upstream", code: "stream_broken" }),
    );
  });

  test("gets its `[DONE]`, and the empty line before it", () => {
    expect(passed("chat", FINISHED)).toBe(FINISHED + DONE_FRAME);
    expect(passed("chat", FINISHED + USAGE)).toBe(FINISHED + USAGE + DONE_FRAME);
    expect(passed("chat", FINISHED.trimEnd())).toBe(FINISHED + DONE_FRAME);
    expect(passed("chat", `${FINISHED}${DONE_FRAME.trimEnd()}`)).toBe(FINISHED + DONE_FRAME);
  });

  test("is finished by a break behind its last word, and not by one before", () => {
    for (const [text, end] of [
      [SAID, undefined],
      [FINISHED, DONE_FRAME],
    ] as const) {
      const check = new StreamEndCheck(STREAM_ENDS.chat as never);
      check.push(Buffer.from(text));
      expect(check.finish()?.toString()).toBe(end as string);
    }
  });

  test("has its usage before `[DONE]`, whether that came or not", () => {
    for (const text of [FINISHED, FINISHED + DONE_FRAME]) {
      const usage = new UsageEdit({ asked: true, promptTokens: () => 3 });
      const check = new StreamEndCheck(STREAM_ENDS.chat as never, new EventLines([usage]));
      const said = [check.push(Buffer.from(text)), check.isOver ? undefined : check.end()];
      const all = said.map((bytes) => Buffer.from(bytes ?? []).toString()).join("");
      expect(all).toMatch(/"estimated":true\}\}\n\ndata: \[DONE\]\n\n$/);
    }
  });
});

test.each<[string, string[]]>([
  ["responses", ["response.completed", "response.incomplete", "response.failed", "error"]],
  ["anthropic_messages", ["message_stop", "error"]],
])("a stream of %s is complete with its last event", (route, types) => {
  const begun = eventFrame({ type: "begin", response: { error: null }, message: {} });
  expect(() => passed(route, begun)).toThrow("broke off");
  for (const type of types) expect(passed(route, begun, eventFrame({ type }))).toContain(type);
});

test.each(["ollama_chat", "ollama_generate"])(
  "%s is complete with the line that is done",
  (name) => {
    const line = (done: boolean) => `${JSON.stringify({ message: { content: "a" }, done })}\n`;
    expect(() => passed(name, line(false))).toThrow("broke off");
    expect(passed(name, line(false), line(true))).toBe(line(false) + line(true));
    expect(passed(name, '{"error":"gone"}\n')).toBe('{"error":"gone"}\n');
  },
);

test("the last event is found at the beginning of a line only", () => {
  expect(hasLastEvent(Buffer.from(`x\n${DONE_FRAME}`))).toBe(true);
  expect(hasLastEvent(Buffer.from('data: {"a":"data: [DONE]"}\n'))).toBe(false);
});
