import { type AnswerBody, restOf } from "../client/body.ts";
import { headerOf, type ResponseHead } from "../client/head.ts";

/** What Ollama streams. */
export const JSON_LINES = "application/x-ndjson";

const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";

/** What an answer is: a stream of events or of JSON lines, JSON in one piece, or anything else. */
export type AnswerType = "events" | "lines" | "json" | "other";

const NAMES: Record<string, AnswerType> = {
  [EVENTS]: "events",
  [JSON_LINES]: "lines",
  "application/ndjson": "lines",
  "application/jsonl": "lines",
  [JSON_TYPE]: "json",
  "text/json": "json",
};

/** What servers say that do not know, or do not care: their bytes tell more. */
const UNCLEAR = new Set(["", "text/plain", "text/html", "application/octet-stream"]);

/** An answer, and what it is. */
export interface TypedAnswer {
  type: AnswerType;
  /** What the client is told; undefined: what the server says is right. */
  contentType: string | undefined;
  body: AnswerBody;
}

/**
 * Finds out what an answer is: by its content type, however that is written; by its first bytes
 * where the type is missing or of no use, or where the two may differ: streams that are named as
 * such hardly wait for them. A text is only taken for JSON or events that cannot be anything else.
 * `lengthMax`: a body of a known length up to this is read as a whole.
 */
export function typedAnswer(
  head: ResponseHead,
  body: AnswerBody,
  lengthMax: number,
): TypedAnswer | Promise<TypedAnswer> {
  const given = headerOf(head, "content-type") ?? "";
  const name =
    given === JSON_TYPE || given === EVENTS
      ? given
      : (given.split(";", 1)[0] ?? "").trim().toLowerCase();
  const named = NAMES[name] ?? (name.endsWith("+json") ? "json" : "other");
  const isUnclear = named === "other" && UNCLEAR.has(name);
  if (named === "events" && head.framing !== "length" && head.status < 400) {
    return streamOrJson(body, given);
  }
  const isOpen = named === "events" ? head.framing === "length" : named === "json" || isUnclear;
  // What an error says is read as a whole, whatever its type.
  if (!isOpen || (head.status >= 400 && named !== "events")) {
    return { type: named, contentType: told(named, given), body };
  }
  const isShort = head.framing === "length" && head.length <= lengthMax;
  const read = isShort && !body.ended ? body.bytes(lengthMax) : body.read();
  const seen = (first: Uint8Array | undefined): TypedAnswer => {
    const isPlain = first === undefined || (named === "json" && first[0] === BRACE);
    const type = (isPlain ? undefined : typeOf(first)) ?? named;
    const rest = isShort || body.ended ? undefined : body;
    return { type, contentType: told(type, given), body: new ReadBody(first, rest) };
  };
  return read instanceof Promise ? read.then(seen) : seen(read);
}

/** Longest wait for the first bytes of what is named a stream, which may be JSON all the same. */
const EARLY_MS = 50;

/**
 * What is named a stream: JSON if its first bytes say so. Those come with the headers, or nearly,
 * where an answer was made as a whole; a stream whose first event takes longer goes on without.
 */
async function streamOrJson(body: AnswerBody, given: string): Promise<TypedAnswer> {
  const read = body.read();
  const first = read instanceof Promise ? await early(read) : read;
  if (first === "late") {
    return { type: "events", contentType: told("events", given), body: new ReadBody(read, body) };
  }
  const isField = first === undefined || isLetter(first[0] ?? 0);
  const type = !isField && typeOf(first) === "json" ? "json" : "events";
  return { type, contentType: told(type, given), body: new ReadBody(first, body) };
}

/** What is read, if it comes soon. Otherwise its failure is left to whoever reads the body. */
function early<T>(read: Promise<T>): Promise<T | "late"> {
  const { promise, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(resolve, EARLY_MS, "late");
  return Promise.race([read, promise]).finally(() => clearTimeout(timer));
}

/** Nearly every stream begins with the name of a field. */
function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

const TOLD: Partial<Record<AnswerType, string>> = {
  events: EVENTS,
  lines: JSON_LINES,
  json: JSON_TYPE,
};

/** What strict clients look for, where the server's own words are others. */
function told(type: AnswerType, given: string): string | undefined {
  const right = TOLD[type];
  if (right === undefined || given.startsWith(right)) return undefined;
  return type === "json" && /^[^;]*\+json\s*(?:;|$)/i.test(given) ? undefined : right;
}

/** Whether two content types are the same but for their parameters. */
export function hasSameType(one: string | null, other: string | undefined): boolean {
  return one?.split(";", 1)[0]?.trim() === other?.split(";", 1)[0]?.trim();
}

const BRACE = 0x7b;

/** Bytes that are looked at. */
const SEEN_BYTES = 64;

/** A field with JSON or the end in it, an event's name, another field, or a comment. */
const EVENT_START = /^(?:data: ?(?:[{["]|$)|event: ?[\w.-]*\r?(?:\n|$)|(?:id|retry): ?\w|:)/;
const JSON_START = /^(?:\{\s*["}]|\[\s*[[\]{"])/;

/** What bytes begin; undefined where it could be anything. */
function typeOf(bytes: Uint8Array): AnswerType | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SEEN_BYTES));
  const text = start.toString("utf8").replace(/^\uFEFF?\s*/, "");
  if (JSON_START.test(text)) return "json";
  return EVENT_START.test(text) ? "events" : undefined;
}

/** A body of which the beginning, or all, has been read or is being read. */
export class ReadBody implements AnswerBody {
  #first: Uint8Array | undefined | Promise<Uint8Array | undefined>;
  readonly #rest: AnswerBody | undefined;
  #failure: unknown;

  constructor(
    first: Uint8Array | undefined | Promise<Uint8Array | undefined>,
    rest: AnswerBody | undefined,
  ) {
    this.#first = first;
    this.#rest = rest;
  }

  get ended(): boolean {
    return this.#rest === undefined || (this.#first === undefined && this.#rest.ended);
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#rest?.read();
  }

  bytes(limitBytes: number): Promise<Uint8Array> {
    return restOf(this, limitBytes);
  }

  abort(cause: unknown): void {
    if (this.ended && this.#first === undefined) return;
    this.#first = undefined;
    this.#failure ??= cause;
    this.#rest?.abort(cause);
  }
}
