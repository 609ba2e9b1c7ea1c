import { expect, test } from "bun:test";
import { eventData } from "./eventdata.ts";

async function read(...pieces: string[]): Promise<string[]> {
  async function* body() {
    for (const piece of pieces) yield new TextEncoder().encode(piece);
  }
  return await Array.fromAsync(eventData(body()));
}

test.each([
  ["whole events", ["data: a\n\ndata: b\n\n"], ["a", "b"]],
  ["events cut anywhere", ["da", "ta: a", "\n", "\nda", "ta:b\n\n"], ["a", "b"]],
  ["other line ends", ["data: a\r\n\r\n"], ["a"]],
  ["several lines of data", ["data: a\ndata: b\n\n"], ["a\nb"]],
  ["comments and other fields", [": hi\nevent: x\nid: 1\ndata: a\n\n\n"], ["a"]],
  ["an unfinished event", ["data: a\n"], []],
])("eventData reads %s", async (_name, pieces, expected) => {
  expect(await read(...pieces)).toEqual(expected);
});
