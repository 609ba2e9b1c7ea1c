import { expect, test } from "bun:test";
import { Headway } from "./headway.ts";
import { Transcript } from "./transcript.ts";

/** How often a stream goes on that breaks each time after so many tokens. */
function continuations(...pieces: number[]): number {
  const [headway, transcript] = [new Headway(), new Transcript()];
  for (const [count, tokens] of pieces.entries()) {
    for (let i = 0; i < tokens; i += 1) {
      transcript.add({ choices: [{ index: 0, delta: { content: "a" } }] });
    }
    if (!headway.mayGoOn(transcript)) return count;
    headway.note(transcript);
  }
  return pieces.length;
}

test("a stream that is brought on goes on, but not for ever", () => {
  expect(continuations(50, 50, 50, 50)).toBe(4);
  expect(continuations(...Array.from({ length: 30 }, () => 50))).toBe(16);
});

test("one that kills whoever works on it does not", () => {
  expect(continuations(1000, 0, 0, 50)).toBe(2);
  expect(continuations(1000, 0, 50, 0, 50)).toBe(5);
  expect(continuations(1000, 5, 5, 5, 5)).toBe(3);
  expect(continuations(1000, 0, 5, 0, 5)).toBe(3);
  expect(continuations(3, 3, 3, 3, 3)).toBe(3);
  expect(continuations(1000, 5, 50, 5, 50)).toBe(5);
});

test("one that breaks before its first word goes on", () => {
  expect(continuations(0, 50)).toBe(2);
  expect(continuations(0, 0, 0)).toBe(2);
});

test("what a call says more is headway as well", () => {
  const [headway, transcript] = [new Headway(), new Transcript()];
  for (let i = 0; i < 5; i += 1) {
    for (let piece = 0; piece < 20; piece += 1) {
      const call = { index: 0, function: { name: "write", arguments: "a" } };
      transcript.add({ choices: [{ index: 0, delta: { tool_calls: [call] } }] });
    }
    expect(headway.mayGoOn(transcript)).toBe(true);
    headway.note(transcript);
  }
});
