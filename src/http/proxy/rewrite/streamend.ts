import { asBuffer, joinedBytes } from "../../../lib/buffer.ts";
import { ApiError } from "../../../wire/error.ts";
import type { StreamRewrite } from "./rewrite.ts";

/** How the streams of an API end. */
export interface StreamEnd {
  /** Something in the last events says that all has been said. */
  readonly complete: RegExp;
  /** Or that the answer failed, which the client is told by what comes. */
  readonly failed: RegExp;
  /** The line behind which nothing counts, where the API has one. */
  readonly last?: { readonly marker: Buffer; readonly line: RegExp; readonly text: string };
}

const DONE = "data: [DONE]\n\n";

const LAST = {
  marker: Buffer.from("[DONE]"),
  line: /^data:[ \t]*\[DONE\][^\n]*(?:\n\r?(?:\n|$))?/m,
  text: DONE,
};

/** An error of any API's in an event; `null` for it says that there is none. */
const FAILED = /"error"\s*:\s*[{"]|"type"\s*:\s*"error"|^event: ?error/m;

/** Of Anthropic's messages; the line before it, with the event's name, passes like any other. */
const MESSAGE_STOP = {
  marker: Buffer.from("message_stop"),
  line: /^data:[^\n]*"type"\s*:\s*"message_stop"[^\n]*(?:\n\r?(?:\n|$))?/m,
  text: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
};

/** Of (chat) completions: a finish reason. */
const COMPLETIONS: StreamEnd = {
  complete: /"finish_reason"\s*:\s*"(?!"|null")/,
  failed: FAILED,
  last: LAST,
};

const OLLAMA: StreamEnd = { complete: /"done"\s*:\s*true/, failed: FAILED };

/** How streams end, by the names of the routes that answer in text. */
export const STREAM_ENDS: Readonly<Record<string, StreamEnd>> = {
  chat: COMPLETIONS,
  generate: COMPLETIONS,
  responses: { complete: /"response\.(?:completed|incomplete|failed)"/, failed: FAILED },
  anthropic_messages: { complete: /"stop_reason"\s*:\s*"/, failed: FAILED, last: MESSAGE_STOP },
  ollama_chat: OLLAMA,
  ollama_generate: OLLAMA,
};

/** Pieces at the end of a stream that are looked at; one event is in each, as a rule. */
const TAIL_PIECES = 8;
const HAS_DATA = /^data:(?![ \t]*(?:\[DONE\]|\r?$))/m;
const FEEDS = Buffer.from("\n\n");

/**
 * Lets a stream pass, and tells whether it ended in good order: one that simply ends is an error,
 * not a success. Nothing follows its last line, and that line is added where an answer is complete
 * without it. A break behind the end of the answer is none.
 */
export class StreamEndCheck implements StreamRewrite {
  readonly #end: StreamEnd;
  readonly #inner: StreamRewrite | undefined;
  /** The last pieces, as they came. */
  readonly #tail: Uint8Array[] = [];
  #count = 0;
  #sent: Uint8Array | undefined;
  isOver = false;

  constructor(end: StreamEnd, inner?: StreamRewrite) {
    this.#end = end;
    this.#inner = inner;
  }

  get contentType(): string | undefined {
    return this.#inner?.contentType;
  }

  get passes(): boolean {
    return this.#inner === undefined;
  }

  push(piece: Uint8Array): Uint8Array | undefined {
    const { last } = this.#end;
    const bytes = asBuffer(piece);
    const found = last !== undefined && bytes.includes(last.marker);
    const line = found ? last.line.exec(bytes.toString("latin1")) : null;
    if (line === null) return this.#pass(bytes);
    const before = bytes.subarray(0, line.index);
    const passed = before.byteLength === 0 ? undefined : this.#pass(before);
    if (!this.#hasData()) throw unfinishedStream();
    this.isOver = true;
    const own = bytes.subarray(line.index, line.index + line[0].length);
    const text = own.includes("\n") ? own : Buffer.concat([own, FEEDS]);
    const end = this.#inner === undefined ? text : this.#inner.push(text);
    return joinedBytes(passed, end, this.#inner?.end());
  }

  end(): Uint8Array | undefined {
    if (this.isOver) return undefined;
    const tail = this.#text();
    const isFailed = this.#end.failed.test(tail);
    if (!isFailed && !this.#end.complete.test(tail)) throw unfinishedStream();
    const own = this.#inner?.end();
    const text = isFailed ? undefined : this.#end.last?.text;
    if (own !== undefined) this.#sent = own;
    const gap = text === undefined || this.#isBetween() ? undefined : FEEDS;
    return joinedBytes(own, gap, text === undefined ? undefined : Buffer.from(text));
  }

  finish(): Uint8Array | undefined {
    const tail = this.#text();
    const isComplete = this.#end.complete.test(tail) && !this.#end.failed.test(tail);
    return isComplete ? (this.end() ?? new Uint8Array()) : undefined;
  }

  #pass(bytes: Buffer): Uint8Array | undefined {
    this.#tail.push(bytes);
    this.#count += 1;
    if (this.#tail.length > TAIL_PIECES) this.#tail.shift();
    const passed = this.#inner === undefined ? bytes : this.#inner.push(bytes);
    this.#sent = passed ?? this.#sent;
    return passed;
  }

  #hasData(): boolean {
    return this.#count > TAIL_PIECES || HAS_DATA.test(this.#text());
  }

  #isBetween(): boolean {
    return (
      this.#sent === undefined || /\n\r?\n$/.test(Buffer.from(this.#sent.slice(-3)).toString())
    );
  }

  #text(): string {
    return Buffer.concat(this.#tail).toString("latin1");
  }
}

/** Whether the line with which streams of completions end is in these bytes. */
export function hasLastEvent(bytes: Buffer): boolean {
  return bytes.includes(LAST.marker) && LAST.line.test(bytes.toString("latin1"));
}

/** A 502 (`upstream`) for a stream that ended before its last event. */
export function unfinishedStream(): ApiError {
  const message = "The answer broke off: the endpoint ended it before it was finished. Try again.";
  return new ApiError("upstream", message, { code: "stream_broken" });
}
