import type { AnswerSample } from "./answersample.ts";
import { isEventStream } from "./usage.ts";

/** For English text and common tokenizers; other languages have fewer. */
const BYTES_PER_TOKEN = 4;

const BASE64 = Buffer.from("base64,");
const QUOTE = 0x22;

/** The text that marks events with text, by dialect: the first that occurs in a stream. */
const DELTAS = ['content_block_delta"', 'output_text.delta"'].map((text) => Buffer.from(text));
const MESSAGE_START = Buffer.from('"type":"message_start"');
const DATA = Buffer.from("data:");
const NEXT_LINE = Buffer.from('\n{"');

/** Events of a chat completion without text: the role, the end, and `[DONE]`. */
const EVENTS_WITHOUT_TEXT = 3;

/**
 * An estimate of a request's input tokens: a quarter of the body's UTF-8 bytes, without attachments
 * in base64.
 */
export function estimatePromptTokens(body: Buffer): number {
  let attached = 0;
  for (let at = body.indexOf(BASE64); at >= 0; ) {
    const end = body.indexOf(QUOTE, at);
    if (end < 0) break;
    attached += end - at;
    at = body.indexOf(BASE64, end);
  }
  return Math.ceil((body.length - attached) / BYTES_PER_TOKEN);
}

/**
 * An estimate of an answer's output tokens. A stream has one per event with text or per line of
 * JSON; the number is extrapolated to its length if only its beginning was kept. Any other answer
 * has a quarter of its bytes.
 */
export function estimateAnswerTokens(sample: AnswerSample): number {
  const { head, bytes } = sample;
  if (head.length === 0) return 0;
  const events = isEventStream(head) ? eventsWithText(head) : linesOfJson(head);
  if (events === undefined) return Math.ceil(bytes / BYTES_PER_TOKEN);
  return bytes === head.length ? events : Math.round((events * bytes) / head.length);
}

function eventsWithText(head: Buffer): number {
  for (const delta of DELTAS) {
    const events = occurrences(head, delta);
    if (events > 0) return events;
  }
  if (head.includes(MESSAGE_START)) return 0;
  return Math.max(0, occurrences(head, DATA) - EVENTS_WITHOUT_TEXT);
}

/** The number of lines of JSON; undefined for a single object. */
function linesOfJson(head: Buffer): number | undefined {
  const more = occurrences(head, NEXT_LINE);
  return more === 0 ? undefined : more + 1;
}

function occurrences(bytes: Buffer, text: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) {
    found += 1;
  }
  return found;
}
