import { ContinuableStream } from "../../src/balancer/continuation/continuablestream.ts";
import { RecorderMemory, StreamRecorder } from "../../src/balancer/continuation/recorder.ts";
import { STREAM_ENDS, StreamEndCheck } from "../../src/http/proxy/rewrite/streamend.ts";
import { median } from "./rig/load.ts";

/**
 * What it costs a stream that does not break to be kept in mind for another endpoint, per event.
 * Run as `npm run bench continuation`; takes some seconds.
 */

const ROUNDS = 9;
const STREAMS = 200;
const EVENTS = 2000;

const event = (number: number) =>
  Buffer.from(
    `data: ${JSON.stringify({
      ...{ id: "chatcmpl-0123456789abcdef0123456789abcdef", object: "chat.completion.chunk" },
      ...{ created: 1_700_000_000, model: "qwen3-8b", system_fingerprint: "b1-0" },
      choices: [{ index: 0, delta: { content: ` word${number}` }, finish_reason: null }],
    })}\n\n`,
  );
const pieces = Array.from({ length: EVENTS }, (_, number) => event(number));

function plain() {
  const end = STREAM_ENDS.chat;
  if (end === undefined) throw new Error("chats have no end");
  return new StreamEndCheck(end);
}

const memory = new RecorderMemory(1024 * 1024 * 1024);

function kept() {
  const recorder = new StreamRecorder(memory);
  const no = () => false;
  const parts = { inner: plain(), recorder, tap: undefined, wantsMore: no, isUnfinished: no };
  const stream = new ContinuableStream({ ...parts, type: "text/event-stream" });
  return { push: (piece: Uint8Array) => stream.push(piece), close: () => recorder.close() };
}

/** Microseconds per event. */
function measure(begin: () => { push(piece: Uint8Array): unknown; close?(): void }): number {
  const startMs = performance.now();
  for (let i = 0; i < STREAMS; i += 1) {
    const stream = begin();
    for (const piece of pieces) stream.push(piece);
    stream.close?.();
  }
  return ((performance.now() - startMs) * 1000) / (STREAMS * EVENTS);
}

const times = Array.from({ length: ROUNDS }, () => [measure(plain), measure(kept)] as const);
const [without, withIt] = [median(times.map(([a]) => a)), median(times.map(([, b]) => b))];
console.log(`an event of a stream that passes:  ${without.toFixed(3)} µs`);
console.log(`the same, kept in mind:            ${withIt.toFixed(3)} µs`);
console.log(`the difference (at most 1 µs):     ${(withIt - without).toFixed(3)} µs`);
