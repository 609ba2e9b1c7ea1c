import type { AnswerSample } from "./answersample.ts";
import {
  CLOSE,
  CLOSE_LIST,
  depthAt,
  endOfObject,
  endOfString,
  numberAfter,
  OBJECT_BYTES_MAX,
  OPEN,
  OPEN_LIST,
  objectAfter,
  QUOTE,
} from "./jsonscan.ts";

/** The token counts of one request; null if unknown. */
export interface TokenUsage {
  /** Tokens of the prompt, cached ones included. */
  input: number | null;
  output: number | null;
  /** Tokens of the prompt that the endpoint had cached. */
  cached: number | null;
}

/** Objects that are parsed at most: an answer may have many that only look like usage. */
const OBJECTS_MAX = 8;

const USAGE = Buffer.from('"usage"');
/** Google's usage. */
const METADATA = Buffer.from('"usageMetadata"');
/** llama-server's counts in the last event, which it sends without being asked for `usage`. */
const TIMINGS = Buffer.from('"timings"');

/**
 * Reads the token counts of an answer from its first and last bytes. Undefined if there are none.
 *
 * 1. In an event stream: the last `usage` of an event or one level deeper (`response.usage`), whose
 *    fields override those of a `message_start` at the beginning; else the last `timings`.
 * 2. In a JSON object: the last `usage` of the object itself; else one near its beginning, before a
 *    long list of embeddings; else its `timings`.
 * 3. In both: Google's `usageMetadata`. In JSON or lines of JSON: Ollama's `eval_count` and
 *    `prompt_eval_count` of the last line.
 */
export function readUsage(sample: AnswerSample): TokenUsage | undefined {
  const { head, tail } = sample;
  if (head.length === 0) return undefined;
  if (isEventStream(head)) {
    const where = { depth: 2, lines: true };
    const first = messageStartUsage(head);
    const last = lastObject(tail, USAGE, where);
    const counts = first === undefined && last === undefined ? undefined : { ...first, ...last };
    return (
      readCounts(counts) ??
      readTimings(lastObject(tail, TIMINGS, where)) ??
      readGoogle(lastObject(tail, METADATA, { depth: 1, lines: true }))
    );
  }
  const where = { depth: 1, lines: false };
  return (
    readCounts(lastObject(tail, USAGE, where)) ??
    readCounts(topLevelUsage(head)) ??
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

/** One of them is in whatever tells of an error; most answers have neither. */
const FAILURES = [Buffer.from("error"), Buffer.from("failed")];

/** Whether the last event of a stream is an error. The text of an answer cannot look like one. */
export function endsInError({ head, tail }: AnswerSample): boolean {
  if (head.length === 0 || !FAILURES.some((word) => tail.includes(word))) return false;
  const end = tail.toString("latin1", Math.max(0, tail.length - OBJECT_BYTES_MAX));
  if (!isEventStream(head)) return /(?:^|\n)\{"error": ?"[^\n]*\n?$/.test(end);
  return /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{"error": ?[{"])/.test(end);
}

type Fields = Record<string, unknown>;

/**
 * Reads OpenAI's `usage` (also that of embeddings and Responses) or Anthropic's, whose
 * `input_tokens` do not include the cached part of the prompt.
 */
function readCounts(usage: Fields | undefined): TokenUsage | undefined {
  if (usage === undefined) return undefined;
  const cacheRead = count(usage.cache_read_input_tokens);
  const cacheWritten = count(usage.cache_creation_input_tokens) ?? 0;
  const prompt = count(usage.prompt_tokens) ?? count(usage.input_tokens);
  const input = prompt === null ? null : prompt + (cacheRead ?? 0) + cacheWritten;
  const output = count(usage.completion_tokens) ?? count(usage.output_tokens);
  if (input === null && output === null) return undefined;
  const details = fieldsOf(usage.prompt_tokens_details) ?? fieldsOf(usage.input_tokens_details);
  // Embeddings have no output, and no field for it.
  const noOutput = count(usage.total_tokens) === input ? 0 : null;
  return { input, output: output ?? noOutput, cached: cacheRead ?? count(details?.cached_tokens) };
}

function readTimings(timings: Fields | undefined): TokenUsage | undefined {
  const [prompt, output] = [count(timings?.prompt_n), count(timings?.predicted_n)];
  if (prompt === null || output === null) return undefined;
  const cached = count(timings?.cache_n);
  return { input: prompt + (cached ?? 0), output, cached };
}

/** Google counts thoughts apart from the answer, and input of its tools apart from the prompt. */
function readGoogle(usage: Fields | undefined): TokenUsage | undefined {
  const prompt = count(usage?.promptTokenCount);
  if (usage === undefined || prompt === null) return undefined;
  const [answer, thoughts] = [count(usage.candidatesTokenCount), count(usage.thoughtsTokenCount)];
  return {
    input: prompt + (count(usage.toolUsePromptTokenCount) ?? 0),
    output: answer === null && thoughts === null ? null : (answer ?? 0) + (thoughts ?? 0),
    cached: count(usage.cachedContentTokenCount),
  };
}

/** Ollama leaves out the count of a prompt that was cached completely. */
function readOllama(tail: Buffer): TokenUsage | undefined {
  const [input, output] = [lastNumber(tail, PROMPT_COUNT), lastNumber(tail, COUNT)];
  return input === null && output === null ? undefined : { input, output, cached: null };
}

const COUNT = Buffer.from('"eval_count"');
const PROMPT_COUNT = Buffer.from('"prompt_eval_count"');

/** The number of a key of the object in the last line. */
function lastNumber(bytes: Buffer, key: Buffer): number | null {
  const at = bytes.lastIndexOf(key);
  const found = at < 0 ? undefined : numberAfter(bytes, at + key.length);
  if (found === undefined || depthAt(bytes, found.end, false) !== 1) return null;
  return count(found.value);
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

/** Place an object may be. */
interface Place {
  /** Objects and lists around it, at most. */
  depth: number;
  /** Whether each line is JSON of its own. */
  lines: boolean;
}

/**
 * The last object of a key. Inside a string the key's quotes would be escaped, so that its bytes
 * are a key or a whole string; what follows shows which, and how deep it is.
 */
function lastObject(bytes: Buffer, key: Buffer, { depth, lines }: Place): Fields | undefined {
  let tries = 0;
  for (let at = bytes.lastIndexOf(key); at >= 0 && tries < OBJECTS_MAX; ) {
    const start = objectAfter(bytes, at + key.length);
    const end = start === undefined ? undefined : endOfObject(bytes, start);
    if (start !== undefined) tries += 1;
    if (start !== undefined && end !== undefined) {
      const outside = depthAt(bytes, end, lines);
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

const MESSAGE_START = Buffer.from("message_start");

/** The `message.usage` of the first event of an Anthropic stream. */
function messageStartUsage(head: Buffer): Fields | undefined {
  const started = head.subarray(0, 256).indexOf(MESSAGE_START);
  const at = started < 0 ? -1 : head.indexOf(USAGE, started);
  const start = at < 0 ? undefined : objectAfter(head, at + USAGE.length);
  const end = start === undefined ? undefined : endOfObject(head, start);
  if (start === undefined || end === undefined) return undefined;
  return depthAt(head, end, true) === 2 ? parse(head, start, end) : undefined;
}

/** The `usage` of the JSON object that begins with these bytes. */
function topLevelUsage(head: Buffer): Fields | undefined {
  let depth = 0;
  const limit = Math.min(head.length, 2 * OBJECT_BYTES_MAX);
  for (let at = 0; at < limit; at += 1) {
    const byte = head[at];
    if (byte === QUOTE) {
      const end = endOfString(head, at, limit);
      if (depth === 1 && head.subarray(at, end).equals(USAGE)) {
        const start = objectAfter(head, end);
        const close = start === undefined ? undefined : endOfObject(head, start);
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
    return undefined; // not JSON: no counts
  }
}
