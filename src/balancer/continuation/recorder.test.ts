import { expect, test } from "bun:test";
import { framingOf } from "./framing.ts";
import { RecorderMemory, StreamRecorder } from "./recorder.ts";

const MIB = 1024 * 1024;

/** Records a stream of so many events, and returns its recorder and the memory that it has. */
function recorded(delta: object, events: number) {
  const memory = new RecorderMemory(64 * MIB);
  const recorder = new StreamRecorder(memory);
  recorder.framing = framingOf("text/event-stream");
  const event = JSON.stringify({ choices: [{ index: 0, delta }] });
  for (let i = 0; i < events; i += 1) recorder.push(Buffer.from(`data: ${event}\n\n`));
  return { recorder, memory };
}

const args = "a".repeat(4096);
const CALL = { tool_calls: [{ index: 0, function: { name: "write", arguments: args } }] };

test("what all streams keep together is limited", () => {
  const memory = new RecorderMemory(100 * 1024);
  const event = Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {} }] })}\n\n`);
  const begun = () => {
    const recorder = new StreamRecorder(memory);
    recorder.framing = framingOf("text/event-stream");
    recorder.push(event);
    return recorder;
  };
  const [first, second] = [begun(), begun()];
  expect(first.read()).toBeDefined();
  expect(second.read()).toBeUndefined();
  expect(second.overflow).toBe("memory_full");
  first.close();
  expect(memory.bytes).toBe(0);
  expect(begun().read()).toBeDefined();
});

test.each([
  ["text", { content: args }],
  ["reasoning", { reasoning_content: args }],
  ["arguments of a call", CALL],
])("%s is kept within limits, and what is kept counts", (_, delta) => {
  const short = recorded(delta, 100);
  expect(short.recorder.read()).toBeDefined();
  expect(short.memory.bytes).toBeGreaterThanOrEqual(2 * 100 * args.length);
  short.recorder.close();
  expect(short.memory.bytes).toBe(0);
  const long = recorded(delta, 300);
  expect(long.recorder.read()).toBeUndefined();
  expect(long.recorder.overflow).toBe("too_long");
  expect(long.memory.bytes).toBe(0);
});
