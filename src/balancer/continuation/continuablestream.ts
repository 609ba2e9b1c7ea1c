import type { Tap } from "../../http/proxy/relay.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { asBuffer } from "../../lib/buffer.ts";
import { parseObject } from "../../lib/json.ts";
import { ApiError, type ErrorKind } from "../../wire/error.ts";
import type { ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import { type EventFraming, framingOf } from "./framing.ts";
import type { StreamRecorder } from "./recorder.ts";

const LINE_FEED = 0x0a;
const ERROR = Buffer.from('"error"');
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
  readonly contentType: string;
  /** The beginning of an event. */
  #held: Buffer | undefined;
  /** An event that tells of an error, and all behind it. */
  #errorEvent: Buffer | undefined;
  /** What the client is to get before anything else. */
  #unsent: Uint8Array | undefined;
  /** Part of an event has passed: the client's next words would be in the middle of it. */
  isTorn = false;

  constructor({ inner, recorder, tap, type, wantsMore }: ContinuableStreamParts) {
    this.#inner = inner;
    this.#recorder = recorder;
    this.#tap = tap;
    this.#wantsMore = wantsMore;
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
    if (events.includes(ERROR) && !this.isOver) this.#throwError(events);
    return this.#pass(events);
  }

  /** Whole events of whoever goes on, in the terms of the first upstream. */
  pushMore(events: Buffer): Uint8Array | undefined {
    const before = this.#unsent;
    this.#unsent = undefined;
    this.#drop();
    const passed = events.byteLength === 0 ? undefined : this.#pass(events);
    return joinedBytes(before, passed);
  }

  /** What did not go to the client of an upstream that broke: another one says it again. */
  #drop(): void {
    this.#held = undefined;
    this.#errorEvent = undefined;
  }

  end(): Uint8Array | undefined {
    const rest = this.#takeHeld();
    if (rest?.includes(ERROR)) this.#throwError(rest);
    const passed = rest === undefined ? undefined : this.#pass(rest);
    return this.isOver ? passed : joinedBytes(passed, this.#inner.end());
  }

  finish(): Uint8Array | undefined {
    if (this.#errorEvent !== undefined) return undefined;
    const last = this.#takeLast();
    const passed = last === undefined ? undefined : this.#pass(last);
    if (this.isOver) return passed ?? new Uint8Array();
    const end = this.#inner.finish?.();
    return end === undefined ? undefined : joinedBytes(passed, end);
  }

  /** A last event that lacks no more than the blank line behind it. */
  #takeLast(): Buffer | undefined {
    const held = this.#held;
    if (held === undefined || held.at(-1) !== LINE_FEED) return undefined;
    if (!ENDING.test(held.toString("latin1"))) return undefined;
    this.#held = undefined;
    return Buffer.concat([held, this.#framing.gap]);
  }

  fail(error: ApiError): Uint8Array | undefined {
    const event = this.#errorEvent;
    const before = this.#unsent;
    this.#drop();
    this.#unsent = undefined;
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
    this.#unsent = before.length === 0 ? undefined : this.#pass(before);
    this.#errorEvent = events.subarray(at.start);
    throw at.error;
  }
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

/** The bytes of those that are there, in one piece; undefined for none. */
export function joinedBytes(...parts: (Uint8Array | undefined)[]): Uint8Array | undefined {
  const there = parts.filter((part) => part !== undefined);
  return there.length > 1 ? Buffer.concat(there) : there[0];
}

/**
 * Where the first event begins that tells of an error of the upstream's, and the error. Nobody
 * listens to what is behind the last event of a stream.
 */
function placeOfError(
  events: Buffer,
  framing: EventFraming,
): { start: number; error: ApiError } | undefined {
  for (let start = 0; start < events.length; ) {
    const end = framing.endOfFirst(events, start);
    const [read] = framing.read([events.subarray(start, end)]);
    const error = read === undefined ? undefined : errorIn(read);
    if (error !== undefined) return { start, error };
    if (read !== undefined && isLast(read)) return undefined;
    start = end;
  }
  return undefined;
}

const LAST_EVENTS = new Set<unknown>(["message_stop", "response.completed", "response.incomplete"]);

function isLast({ event, data }: ServerEvent): boolean {
  if (data.trim() === "[DONE]") return true;
  const json = parseObject(data);
  return json?.done === true || LAST_EVENTS.has(event ?? json?.type);
}

/** Errors of an upstream that another one need not have. */
export const BREAK_KINDS = new Set<ErrorKind>([
  ...(["upstream", "unavailable", "timeout", "rate_limited", "internal"] as const),
]);

function errorIn({ event, data }: ServerEvent): ApiError | undefined {
  const json = parseObject(data);
  if (json === undefined) return undefined;
  const { error, choices, response } = json;
  const failed = Array.isArray(choices) ? choices.map(failureOf).find(isThere) : undefined;
  const isTold = isError(error) || event === "error";
  const told = event === "response.failed" ? response : isTold ? json : failed;
  if (told === undefined) return undefined;
  const { kind, message, code } = readUpstreamError(undefined, told);
  if (!BREAK_KINDS.has(kind)) return undefined;
  return new ApiError(kind, message, { code: code ?? "stream_error" });
}

/** A choice that failed on the way, as some servers say it. */
function failureOf(choice: unknown): object | undefined {
  const { error, finish_reason: finish } = Object(choice) as Record<string, unknown>;
  if (isError(error)) return { error };
  return finish === "error" ? { error: "it ended with `error`" } : undefined;
}

function isError(error: unknown): boolean {
  return typeof error === "object" && error !== null
    ? Object.keys(error).length > 0
    : typeof error === "string" && error !== "";
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
