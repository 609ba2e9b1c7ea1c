import { expect, test } from "bun:test";
import { hasEvent, hasLine } from "./content.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  [": ping\n\n", false],
  ["\n", false],
  ["\r\n: OPENROUTER PROCESSING\r\n\r\n", false],
  [": data: not a field\n\n", false],
  ["retry: 3000\n\n", false],
  ["id: 1\nevent: message\n", false],
  ["data:\n\n", false],
  ["data: \r\n\r\n", false],
  ['event: ping\ndata: {"type": "ping"}\n\n', false],
  ['data: {"type":"ping"}\n\n: ping\n\n', false],
  ['data:{"choices":[]}\n\n', true],
  ['data: {"prompt_progress":{"total":9,"processed":3}}\n\n', true],
  [': ping\n\ndata: {"type":"ping"}\n\ndata: {"type":"message_stop"}\n\n', true],
  ["data: [DONE]\n\n", true],
  ["x".repeat(65 * 1024), true],
])("content among lines of an event stream: %j is %p", (text, expected) => {
  expect(hasEvent(bytes(text))).toBe(expected);
});

test.each([
  ["\n \r\n", false],
  ['{"done":false}\n', true],
])("content among JSON lines: %j is %p", (text, expected) => {
  expect(hasLine(bytes(text))).toBe(expected);
});
