import { gzipSync } from "node:zlib";
import { DONE_FRAME, eventFrame } from "../../../wire/sse.ts";
import type { ChatAnswer } from "./answer.ts";
import { politely, type Send } from "./sending.ts";

/** Makes the response for an answer. */
export type Ending = (answer: ChatAnswer, streams: boolean) => Response;

/** Ends of streams that come after all has been said. */
export const LATE_ENDINGS: Readonly<Record<string, Ending>> = {
  "no `[DONE]`": ({ chunks }) => events(framesOf(chunks)),
  "no `[DONE]`, and usage along with the finish reason": ({ chunks }) => {
    const usage = chunks.pop()?.usage ?? null;
    Object.assign(chunks.at(-1) ?? {}, { usage });
    return events(framesOf(chunks));
  },
  "no `[DONE]` and no empty line at the end": ({ chunks }) => events(framesOf(chunks).trimEnd()),
  "`[DONE]` without a line end": (answer) => events(textOf(answer).trimEnd()),
  "`[DONE]` without a finish reason before": ({ chunks }) => {
    const told = chunks.filter(({ choices }) => choices?.[0]?.finish_reason == null);
    return events(framesOf(told) + DONE_FRAME);
  },
  "an error behind `[DONE]`": (answer) => events(textOf(answer) + eventFrame(ERROR)),
  "words behind `[DONE]`": (answer) => events(textOf(answer) + framesOf(answer.chunks.slice(0, 3))),
  "a reset in place of `[DONE]`": ({ chunks }) => cut(framesOf(chunks)),
  "a reset behind `[DONE]`": (answer) => cut(textOf(answer)),
  "silence behind `[DONE]`": (answer) => held(textOf(answer)),
};

const ERROR = { error: { message: "It went away.", type: "server_error", code: 503 } };

/** Answers that fail, whatever the client asked for. */
export const BREAKS: Readonly<Record<string, Ending>> = {
  "it simply ends": ({ chunks, whole }, streams) =>
    streams ? events(framesOf(chunks.slice(0, 3))) : cutWhole(whole),
  "it ends within an event": ({ chunks, whole }, streams) =>
    streams ? events(textOf({ chunks, whole }).slice(0, 300)) : cutWhole(whole),
  "it is reset": ({ chunks, whole }, streams) =>
    streams ? cut(framesOf(chunks.slice(0, 3))) : cutWhole(whole),
  "it is empty": (_, streams) => sent("", streams),
  "it is only comments": (_, streams) => sent(streams ? ": wait\n\n: wait\n\n" : "\n\n", streams),
  "it is only `[DONE]`": (_, streams) => sent(streams ? DONE_FRAME : "null", streams),
  "an error with status 200": (_, streams) =>
    sent(streams ? eventFrame(ERROR) : JSON.stringify(ERROR), streams),
  "an error with status 200, as JSON": () => sent(JSON.stringify(ERROR), false),
  "an error on the way": ({ chunks }, streams) => {
    const begun = framesOf(chunks.slice(0, 3));
    return sent(streams ? begun + eventFrame(ERROR) : JSON.stringify(ERROR), streams);
  },
  "an error on the way, and `[DONE]`": ({ chunks }, streams) => {
    const begun = framesOf(chunks.slice(0, 3)) + eventFrame(ERROR, "error") + DONE_FRAME;
    return sent(streams ? begun : JSON.stringify(ERROR), streams);
  },
  "a web page": () => new Response("<!doctype html><p>Welcome</p>", { headers: HTML }),
  "a redirect": () => new Response(null, { status: 307, headers: { location: ELSEWHERE } }),
  "no choices": ({ whole }, streams) => {
    const none = JSON.stringify({ ...whole, choices: [] });
    return sent(streams ? `data: ${none}\n\n` : none, streams);
  },
  "a coding that nobody knows": (answer, streams) =>
    sent(streams ? textOf(answer) : "{}", streams, { "content-encoding": "secret" }),
  "a coding that breaks": (answer, streams) => {
    const coded = gzipSync(streams ? textOf(answer) : JSON.stringify(answer.whole));
    const half = coded.subarray(0, coded.byteLength / 2);
    return sent(half as Uint8Array<ArrayBuffer>, streams, { "content-encoding": "gzip" });
  },
};

/** Choices that tell of a failure: clients of chats see them as they are. */
export const FAILED_CHOICES: Readonly<Record<string, Ending>> = {
  "an error in the choice": (answer, streams) => failedChoice(answer, streams, ERROR),
  "the finish reason `error`": (answer, streams) =>
    failedChoice(answer, streams, { finish_reason: "error" }),
  "the finish reason `error`, with an error": (answer, streams) =>
    failedChoice(answer, streams, { ...ERROR, finish_reason: "error" }),
};

const HTML = { "content-type": "text/html" };
/** Where a redirect leads: nobody may go there. */
const ELSEWHERE = "http://127.0.0.1:9/elsewhere";

function failedChoice({ chunks, whole }: ChatAnswer, streams: boolean, end: object): Response {
  const begun = chunks.slice(0, 3);
  const last = {
    ...chunks[0],
    choices: [{ index: 0, delta: { content: "" }, finish_reason: null, ...end }],
  };
  if (streams) return events(framesOf([...begun, last]) + DONE_FRAME);
  const message = { role: "assistant", content: "" };
  return sent(JSON.stringify({ ...whole, choices: [{ index: 0, message, ...end }] }), false);
}

/** The events of a stream, without its last. */
function framesOf(chunks: readonly object[]): string {
  return chunks.map((chunk) => eventFrame(chunk)).join("");
}

/** A stream as it should be. */
function textOf({ chunks }: ChatAnswer): string {
  return framesOf(chunks) + DONE_FRAME;
}

function sent(body: BodyInit, streams: boolean, more: Record<string, string> = {}): Response {
  const type = streams ? "text/event-stream" : "application/json";
  return new Response(body, { headers: { "content-type": type, ...more } });
}

const events = (text: string): Response => sent(text, true);

/** Half of a whole answer; then the connection breaks. */
function cutWhole(whole: object): Response {
  const text = JSON.stringify(whole);
  return sent(broken(text.slice(0, text.length / 2)), false);
}

function cut(text: string): Response {
  return sent(broken(text), true);
}

function broken(text: string): ReadableStream<Uint8Array> {
  let isSent = false;
  return new ReadableStream({
    async pull(controller) {
      if (isSent) {
        // What was sent has to be read before the end.
        await Bun.sleep(20);
        // Without an argument, because Bun prints what it is given.
        controller.error();
        return;
      }
      isSent = true;
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
}

/** All of it; then the connection stays open without a word, until the other side leaves. */
function held(text: string): Response {
  let isSent = false;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (isSent) await new Promise<void>(() => undefined);
      isSent = true;
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
  return sent(stream, true);
}

/** How an answer is sent that ends as it should. */
export function sending(send: Send = politely): Ending {
  return (answer, streams) =>
    send({ text: streams ? textOf(answer) : JSON.stringify(answer.whole), streams });
}
