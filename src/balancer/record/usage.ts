import type { Sample } from "./sample.ts";

/** Tokens of one request; null where nobody counted them. */
export interface TokenUsage {
  /** Of the prompt, cached ones included. */
  input: number | null;
  output: number | null;
  /** Of the prompt, those that the endpoint had cached. */
  cached: number | null;
}

/** No object with token counts is longer. */
const OBJECT_BYTES_MAX = 2048;
/** Objects that are looked at before giving up: an answer may be full of lookalikes. */
const OBJECTS_MAX = 8;

const USAGE = '"usage"';
/** What llama-server tells with the last event also if nobody asked for `usage`. */
const TIMINGS = '"timings"';

const [QUOTE, BACKSLASH, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x3a, 0x7b, 0x7d];
const [OPEN_LIST, CLOSE_LIST, LINE_FEED] = [0x5b, 0x5d, 0x0a];

/**
 * Token counts that an answer tells, from its first and last bytes only. Undefined if there are
 * none. Where they are looked for:
 *
 * 1. An event stream: the last `usage`, of an event or one level deeper (`response.usage`), over
 *    what a `message_start` at its beginning told; else the last `timings`.
 * 2. A JSON object: the last `usage` of the object itself; else one near its beginning, before a
 *    long list of embeddings; else its `timings`.
 */
export function usageOf(sample: Sample): TokenUsage | undefined {
  const { head, tail } = sample;
  if (head.length === 0) return undefined;
  if (isEventStream(head)) {
    const begun = firstInLine(head);
    const told = lastObject(tail, USAGE, { depth: 2, lines: true });
    const counts = begun === undefined && told === undefined ? undefined : { ...begun, ...told };
    return readCounts(counts) ?? readTimings(lastObject(tail, TIMINGS, { depth: 2, lines: true }));
  }
  const where = { depth: 1, lines: false };
  return (
    readCounts(lastObject(tail, USAGE, where)) ??
    readCounts(firstAtTop(head)) ??
    readTimings(lastObject(tail, TIMINGS, where))
  );
}

/** Whether an answer's first bytes are those of an event stream. */
export function isEventStream(head: Uint8Array): boolean {
  const first = head.find((byte) => byte > 0x20);
  return first !== undefined && first !== OPEN && first !== OPEN_LIST && first !== QUOTE;
}

/** Whether the last event that a stream's endpoint sent is an error. No text can look like one. */
export function endsInError({ head, tail }: Sample): boolean {
  if (head.length === 0 || !isEventStream(head)) return false;
  const end = tail.toString("latin1", Math.max(0, tail.length - OBJECT_BYTES_MAX));
  return /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{"error": ?[{"])/.test(end);
}

type Fields = Record<string, unknown>;

/**
 * Reads OpenAI's `usage` (also of `/v1/embeddings` and `/v1/responses`) or Anthropic's, where the
 * cached part of a prompt is not part of `input_tokens`.
 */
export function readCounts(usage: Fields | undefined): TokenUsage | undefined {
  if (usage === undefined) return undefined;
  const read = count(usage.cache_read_input_tokens);
  const written = count(usage.cache_creation_input_tokens) ?? 0;
  const given = count(usage.prompt_tokens) ?? count(usage.input_tokens);
  const input = given === null ? null : given + (read ?? 0) + written;
  const output = count(usage.completion_tokens) ?? count(usage.output_tokens);
  if (input === null && output === null) return undefined;
  const details = fieldsOf(usage.prompt_tokens_details) ?? fieldsOf(usage.input_tokens_details);
  // Embeddings have no output, and say nothing about it.
  const none = count(usage.total_tokens) === input ? 0 : null;
  return { input, output: output ?? none, cached: read ?? count(details?.cached_tokens) };
}

function readTimings(timings: Fields | undefined): TokenUsage | undefined {
  const [prompt, output] = [count(timings?.prompt_n), count(timings?.predicted_n)];
  if (prompt === null || output === null) return undefined;
  const cached = count(timings?.cache_n);
  return { input: prompt + (cached ?? 0), output, cached };
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

/** How deep an object may lie, and whether each line is a text of its own. */
interface Where {
  depth: number;
  lines: boolean;
}

/**
 * The last object under a key. In a string its quotes would be escaped, so that the bytes of the
 * key can only be a key or a whole string; what follows tells which, and how deep it lies.
 */
function lastObject(bytes: Buffer, key: string, { depth, lines }: Where): Fields | undefined {
  let tries = 0;
  for (let at = bytes.lastIndexOf(key); at >= 0 && tries < OBJECTS_MAX; ) {
    const start = objectAfter(bytes, at + key.length);
    const end = start === undefined ? undefined : endOf(bytes, start);
    if (start !== undefined) tries += 1;
    if (start !== undefined && end !== undefined) {
      const outside = closersAfter(bytes, end, lines);
      if (outside >= 1 && outside <= depth) {
        const found = parse(bytes, start, end);
        if (found !== undefined) return found;
      }
    }
    if (at === 0) return undefined;
    at = bytes.lastIndexOf(key, at - 1);
  }
  return undefined;
}

/** What the first event of an Anthropic stream tells: its `message.usage`. */
function firstInLine(head: Buffer): Fields | undefined {
  const started = head.subarray(0, 256).indexOf("message_start");
  const at = started < 0 ? -1 : head.indexOf(USAGE, started);
  const start = at < 0 ? undefined : objectAfter(head, at + USAGE.length);
  const end = start === undefined ? undefined : endOf(head, start);
  if (start === undefined || end === undefined) return undefined;
  return closersAfter(head, end, true) === 2 ? parse(head, start, end) : undefined;
}

/** The `usage` of an object that begins with these bytes. */
function firstAtTop(head: Buffer): Fields | undefined {
  let depth = 0;
  const limit = Math.min(head.length, 2 * OBJECT_BYTES_MAX);
  for (let at = 0; at < limit; at += 1) {
    const byte = head[at];
    if (byte === QUOTE) {
      const end = endOfString(head, at, limit);
      if (depth === 1 && head.toString("latin1", at, end) === USAGE) {
        const start = objectAfter(head, end);
        const close = start === undefined ? undefined : endOf(head, start);
        if (start !== undefined && close !== undefined) return parse(head, start, close);
      }
      at = end - 1;
    } else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth -= 1;
  }
  return undefined;
}

/** Where the object begins that follows a colon; undefined if anything else does. */
function objectAfter(bytes: Uint8Array, from: number): number | undefined {
  let at = skipSpace(bytes, from);
  if (bytes[at] !== COLON) return undefined;
  at = skipSpace(bytes, at + 1);
  return bytes[at] === OPEN ? at : undefined;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}

/** Behind the end of the object at `start`; undefined if it is cut off or too long. */
function endOf(bytes: Uint8Array, start: number): number | undefined {
  let depth = 0;
  const limit = Math.min(bytes.length, start + OBJECT_BYTES_MAX);
  for (let at = start; at < limit; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at, limit) - 1;
    else if (byte === OPEN) depth += 1;
    else if (byte === CLOSE) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** Behind the closing quote of the string at `start`, or `limit`. */
function endOfString(bytes: Uint8Array, start: number, limit: number): number {
  for (let at = start + 1; at < limit; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return limit;
}

/** How many objects and lists are closed after `from` that were opened before it. */
function closersAfter(bytes: Uint8Array, from: number, lines: boolean): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at, bytes.length) - 1;
    else if (byte === OPEN || byte === OPEN_LIST) depth -= 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth += 1;
    else if (byte === LINE_FEED && lines) break;
  }
  return depth;
}

function parse(bytes: Buffer, start: number, end: number): Fields | undefined {
  try {
    const value = fieldsOf(JSON.parse(bytes.toString("utf8", start, end)));
    return (readCounts(value) ?? readTimings(value)) ? value : undefined;
  } catch {
    return undefined; // Not JSON after all: no counts.
  }
}
