import {
  CLOSE,
  CLOSE_LIST,
  closersAfter,
  endOf,
  endOfString,
  numberAfter,
  OBJECT_BYTES_MAX,
  OPEN,
  OPEN_LIST,
  objectAfter,
  QUOTE,
} from "./jsonscan.ts";
import type { Sample } from "./sample.ts";

/** Tokens of one request; null where nobody counted them. */
export interface TokenUsage {
  /** Of the prompt, cached ones included. */
  input: number | null;
  output: number | null;
  /** Of the prompt, those that the endpoint had cached. */
  cached: number | null;
}

/** Objects that are looked at before giving up: an answer may be full of lookalikes. */
const OBJECTS_MAX = 8;

const USAGE = '"usage"';
/** Google's. */
const METADATA = '"usageMetadata"';
/** What llama-server tells with the last event also if nobody asked for `usage`. */
const TIMINGS = '"timings"';

/**
 * Token counts that an answer tells, from its first and last bytes only. Undefined if there are
 * none. Where they are looked for:
 *
 * 1. An event stream: the last `usage`, of an event or one level deeper (`response.usage`), over
 *    what a `message_start` at its beginning told; else the last `timings`.
 * 2. A JSON object: the last `usage` of the object itself; else one near its beginning, before a
 *    long list of embeddings; else its `timings`.
 * 3. Either: Google's `usageMetadata`. JSON, in lines or not: Ollama's `eval_count` and
 *    `prompt_eval_count` of the last line.
 */
export function usageOf(sample: Sample): TokenUsage | undefined {
  const { head, tail } = sample;
  if (head.length === 0) return undefined;
  if (isEventStream(head)) {
    const begun = firstInLine(head);
    const told = lastObject(tail, USAGE, { depth: 2, lines: true });
    const counts = begun === undefined && told === undefined ? undefined : { ...begun, ...told };
    const where = { depth: 2, lines: true };
    return (
      readCounts(counts) ??
      readTimings(lastObject(tail, TIMINGS, where)) ??
      readGoogle(lastObject(tail, METADATA, { depth: 1, lines: true }))
    );
  }
  const where = { depth: 1, lines: false };
  return (
    readCounts(lastObject(tail, USAGE, where)) ??
    readCounts(firstAtTop(head)) ??
    readTimings(lastObject(tail, TIMINGS, where)) ??
    readGoogle(lastObject(tail, METADATA, where)) ??
    readOllama(tail)
  );
}

/** Whether an answer's first bytes are those of an event stream. */
export function isEventStream(head: Uint8Array): boolean {
  let at = 0;
  while (at < head.length && (head[at] ?? 0) <= 0x20) at += 1;
  const first = head[at];
  return first !== undefined && first !== OPEN && first !== OPEN_LIST && first !== QUOTE;
}

/** Whether the last event that a stream's endpoint sent is an error. No text can look like one. */
export function endsInError({ head, tail }: Sample): boolean {
  if (head.length === 0) return false;
  const end = tail.toString("latin1", Math.max(0, tail.length - OBJECT_BYTES_MAX));
  if (!isEventStream(head)) return /(?:^|\n)\{"error": ?"[^\n]*\n?$/.test(end);
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

/** Google counts thoughts beside what is said, and what its own tools read beside the prompt. */
function readGoogle(usage: Fields | undefined): TokenUsage | undefined {
  const prompt = count(usage?.promptTokenCount);
  if (usage === undefined || prompt === null) return undefined;
  const [said, thought] = [count(usage.candidatesTokenCount), count(usage.thoughtsTokenCount)];
  return {
    input: prompt + (count(usage.toolUsePromptTokenCount) ?? 0),
    output: said === null && thought === null ? null : (said ?? 0) + (thought ?? 0),
    cached: count(usage.cachedContentTokenCount),
  };
}

/** Ollama leaves the prompt's count out where all of it was cached. */
function readOllama(tail: Buffer): TokenUsage | undefined {
  const [input, output] = [lastNumber(tail, PROMPT_COUNT), lastNumber(tail, COUNT)];
  return input === null && output === null ? undefined : { input, output, cached: null };
}

const COUNT = '"eval_count"';
const PROMPT_COUNT = '"prompt_eval_count"';

/** The number under a key of the object in the last line. */
function lastNumber(bytes: Buffer, key: string): number | null {
  const at = bytes.lastIndexOf(key);
  const found = at < 0 ? undefined : numberAfter(bytes, at + key.length);
  if (found === undefined || closersAfter(bytes, found.end, false) !== 1) return null;
  return count(found.value);
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

function parse(bytes: Buffer, start: number, end: number): Fields | undefined {
  try {
    const value = fieldsOf(JSON.parse(bytes.toString("utf8", start, end)));
    return (readCounts(value) ?? readTimings(value) ?? readGoogle(value)) ? value : undefined;
  } catch {
    return undefined; // Not JSON after all: no counts.
  }
}
