import { expect, test } from "bun:test";
import { streamedText } from "./streamedtext.ts";

const chunk = (content?: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}`;
const stream = (...events: string[]) => events.map((event) => `${event}\n\n`).join("");
const DONE = "data: [DONE]";
const USAGE = 'data: {"choices":[],"usage":{}}';

test("the text of a stream is that of its chunks, where it has an end", () => {
  expect(streamedText(stream(chunk(), chunk("Good"), ": on", chunk("bye!"), USAGE, DONE))).toBe(
    "Goodbye!",
  );
  expect(streamedText(stream(chunk("Good"), chunk("bye!")))).toBeUndefined();
  expect(streamedText(stream(chunk("Good"), DONE, chunk("bye!")))).toBeUndefined();
  expect(streamedText(stream(chunk("Good"), 'data: {"error":{}}', DONE))).toBeUndefined();
  expect(streamedText("")).toBeUndefined();
});
