import type { Tap } from "../../http/proxy/relay.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { unfinishedStream } from "../../http/proxy/rewrite/streamend.ts";
import { asBuffer, joinedBytes } from "../../lib/buffer.ts";
import { parseJson } from "../../lib/json.ts";
import type { ApiError } from "../../wire/error.ts";
import { DONE } from "../../wire/sse.ts";
import { type EventFraming, framingOf } from "./framing.ts";
import type { StreamRecorder } from "./recorder.ts";
import { placeOfError } from "./streamerror.ts";

const LINE_FEED = 0x0a;
const ERRORS = [Buffer.from('"error"'), Buffer.from('"abort"')];
/** What says that all was said. */
const ENDING =
  /"(?:finish|stop|done)_reason"\s*:\s*"|^data: ?\[DONE\]|"response\.(?:completed|incomplete)"/m;
/** A part of an event that is longer passes, and nobody goes on with its stream. */
const HELD_BYTES_MAX = 64 * 1024;

export interface ContinuableStreamParts {
  inner: StreamRewrite;
  recorder: StreamRecorder;
  /** Sees what passes, of whichever upstream it is. */
  tap: Tap | undefined;
  /** The content type of the upstream's stream. */
  type: string;
  /** Whether something is to come that was asked for, given that all has been said (`isEnding`). */
  wantsMore(isEnding: boolean): boolean;
  /** Whether text is to come, as far as is known. */
  isUnfinished(): boolean;
}

/**
 * A stream of an upstream on its way to the client, which is kept in mind so that another upstream
 * can go on with it: whole events pass, and the beginning of one waits for its rest. An event that
 * tells of an error of the upstream's is thrown, so that it is a break like any other; if nobody
 * goes on, the client gets it as it came (`fail`).
 */
export class ContinuableStream implements StreamRewrite {
  readonly #inner: StreamRewrite;
  readonly #recorder: StreamRecorder;
  readonly #tap: Tap | undefined;
  readonly #framing: EventFraming;
  readonly #wantsMore: (isEnding: boolean) => boolean;
  readonly #isUnfinished: () => boolean;
  readonly contentType: string;
  /** The beginning of an event. */
  #held: Buffer | undefined;
  /** An event that tells of an error, and all behind it. */
  #errorEvent: Buffer | undefined;
  /** What the client is to get before anything else. */
  #unsent: Uint8Array | undefined;
  /** Part of an event has passed: the client's next words would be in the middle of it. */
  isTorn = false;

  constructor({ inner, recorder, tap, type, ...asked }: ContinuableStreamParts) {
    this.#inner = inner;
    this.#recorder = recorder;
    this.#tap = tap;
    this.#wantsMore = asked.wantsMore;
    this.#isUnfinished = asked.isUnfinished;
    this.#framing = framingOf(type);
    recorder.framing = this.#framing;
    this.contentType = inner.contentType ?? type;
  }

  get ping(): Uint8Array | undefined {
    return this.#inner.ping;
  }

  get isOver(): boolean {
    return this.#inner.isOver ?? false;
  }

  get passes(): boolean {
    return this.#inner.passes ?? false;
  }

  get wantsMore(): boolean {
    return this.#wantsMore(this.#held !== undefined && ENDING.test(this.#held.toString("latin1")));
  }

  push(piece: Uint8Array): Uint8Array | undefined {
    const events = this.#whole(asBuffer(piece));
    if (events === undefined) return undefined;
    if (mayTellError(events) && !this.isOver) this.#throwError(events);
    return this.#pass(events);
  }

  /** Whole events of whoever goes on, in the terms of the first upstream. */
  pushMore(events: Buffer): Uint8Array | undefined {
    const before = this.#takeUnsent();
    this.#drop();
    const passed = events.byteLength === 0 ? undefined : this.#pass(events);
    return joinedBytes(before, passed);
  }

  /** Bytes for the client that go with what comes next, whoever says it. */
  hold(bytes: Uint8Array | undefined): void {
    this.#unsent = joinedBytes(this.#unsent, bytes);
  }

  /** What did not go to the client of an upstream that broke: another one says it again. */
  #drop(): void {
    this.#held = undefined;
    this.#errorEvent = undefined;
  }

  end(): Uint8Array | undefined {
    const rest = this.#takeHeld();
    if (rest !== undefined && mayTellError(rest)) this.#throwError(rest);
    const events = rest === undefined ? [] : this.#framing.read([rest]);
    const isTorn = events.length === 0 || events.some(({ data }) => !isWhole(data));
    if (rest !== undefined && isTorn) throw unfinishedStream();
    const last = rest === undefined ? undefined : this.#pass(this.#framing.ended(rest));
    const passed = joinedBytes(this.#takeUnsent(), last);
    if (!this.isOver && this.#isUnfinished()) {
      this.#unsent = passed;
      throw unfinishedStream();
    }
    return this.isOver ? passed : joinedBytes(passed, this.#inner.end());
  }

  finish(): Uint8Array | undefined {
    const last = this.#takeLast();
    const passed = joinedBytes(
      this.#takeUnsent(),
      last === undefined ? undefined : this.#pass(last),
    );
    const end = this.#lastBytes();
    if (end === undefined) this.#unsent = passed;
    return end === undefined ? undefined : joinedBytes(passed, end);
  }

  /** Undefined: text is to come. The first of several choices to end looks like the end of all. */
  #lastBytes(): Uint8Array | undefined {
    if (this.isOver) return new Uint8Array();
    return this.#isUnfinished() ? undefined : this.#inner.finish?.();
  }

  #takeUnsent(): Uint8Array | undefined {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    return unsent;
  }

  /** A last event that lacks no more than the blank line behind it. */
  #takeLast(): Buffer | undefined {
    const held = this.#held;
    if (held === undefined || held.at(-1) !== LINE_FEED) return undefined;
    if (!ENDING.test(held.toString("latin1"))) return undefined;
    this.#held = undefined;
    return this.#framing.ended(held);
  }

  fail(error: ApiError): Uint8Array | undefined {
    const event = this.#errorEvent;
    const before = this.#takeUnsent();
    this.#drop();
    const told = event === undefined ? this.#inner.fail?.(error) : this.#told(event);
    return joinedBytes(before, told);
  }

  /** The upstream's own words of an error, as they go to the client without all this. */
  #told(event: Buffer): Uint8Array {
    this.#tap?.push(event);
    const said = this.#inner.push(event);
    return joinedBytes(said, this.isOver ? undefined : this.#inner.end()) ?? new Uint8Array();
  }

  #pass(events: Buffer): Uint8Array | undefined {
    this.#tap?.push(events);
    this.#recorder.push(events);
    return this.#inner.push(events);
  }

  #whole(piece: Buffer): Buffer | undefined {
    const held = this.#held;
    if (held === undefined && this.#framing.endsWhole(piece)) return piece;
    const bytes = held === undefined ? piece : Buffer.concat([held, piece]);
    const cut = this.#framing.endOfWhole(bytes);
    this.#held = cut === bytes.length ? undefined : bytes.subarray(cut);
    if ((this.#held?.length ?? 0) > HELD_BYTES_MAX) {
      this.isTorn = true;
      this.#held = undefined;
      return bytes;
    }
    return cut === 0 ? undefined : bytes.subarray(0, cut);
  }

  #takeHeld(): Buffer | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #throwError(events: Buffer): void {
    const at = placeOfError(events, this.#framing);
    if (at === undefined) return;
    const before = events.subarray(0, at.start);
    const passed = before.length === 0 ? undefined : this.#pass(before);
    this.#unsent = joinedBytes(this.#unsent, passed);
    this.#errorEvent = events.subarray(at.start);
    throw at.error;
  }
}

function mayTellError(events: Buffer): boolean {
  return ERRORS.some((word) => events.includes(word));
}

/** Whether the data of a stream's last event, which lacks its end, is whole nevertheless. */
function isWhole(data: string): boolean {
  return data.trim() === DONE || parseJson(data) !== undefined;
}

/** A rewrite whose stream is kept in mind; of answers in one piece nothing changes. */
export class ContinuableRewrite implements Rewrite {
  readonly #inner: Rewrite;
  readonly #parts: Omit<ContinuableStreamParts, "inner" | "type">;
  /** Undefined until it begins. */
  begun: ContinuableStream | undefined;

  constructor(inner: Rewrite, parts: Omit<ContinuableStreamParts, "inner" | "type">) {
    this.#inner = inner;
    this.#parts = parts;
  }

  whole(bytes: Buffer, status: number): Rewritten | Promise<Rewritten> {
    return this.#inner.whole(bytes, status);
  }

  stream(type: string): ContinuableStream {
    const inner = this.#inner.stream(type);
    this.begun = new ContinuableStream({ ...this.#parts, inner, type });
    return this.begun;
  }
}
