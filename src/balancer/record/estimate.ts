import type { Sample } from "./sample.ts";
import { isEventStream } from "./usage.ts";

/** Of English text with common tokenizers; other languages have fewer. */
const BYTES_PER_TOKEN = 4;

const BASE64 = "base64,";

/** What stands in every event of a stream that brings text, by dialect; the first that fits. */
const DELTAS = ['content_block_delta"', 'output_text.delta"'];

/** Of a chat, the events that bring no text: the role, the end, and `[DONE]`. */
const EVENTS_WITHOUT_TEXT = 3;

/**
 * About how many tokens a request's body makes: a quarter of its UTF-8 bytes. Attachments in
 * base64 do not count, whoever reads them.
 */
export function estimateInput(body: Buffer): number {
  let attached = 0;
  for (let at = body.indexOf(BASE64); at >= 0; ) {
    const end = body.indexOf('"', at);
    if (end < 0) break;
    attached += end - at;
    at = body.indexOf(BASE64, end);
  }
  return Math.ceil((body.length - attached) / BYTES_PER_TOKEN);
}

/**
 * About how many tokens an answer has. Of a stream: one per event with text, or line of JSON;
 * beyond the beginning that was kept, as many as its length suggests. Of anything else: a quarter
 * of its bytes.
 */
export function estimateOutput(sample: Sample): number {
  const { head, bytes } = sample;
  if (head.length === 0) return 0;
  const events = isEventStream(head) ? eventsWithText(head) : lines(head);
  if (events === undefined) return Math.ceil(bytes / BYTES_PER_TOKEN);
  return bytes === head.length ? events : Math.round((events * bytes) / head.length);
}

function eventsWithText(head: Buffer): number {
  for (const delta of DELTAS) {
    const events = occurrences(head, delta);
    if (events > 0) return events;
  }
  if (head.includes('"type":"message_start"')) return 0;
  return Math.max(0, occurrences(head, "data:") - EVENTS_WITHOUT_TEXT);
}

/** Lines of JSON; undefined for a single object. */
function lines(head: Buffer): number | undefined {
  const more = occurrences(head, '\n{"');
  return more === 0 ? undefined : more + 1;
}

function occurrences(bytes: Buffer, text: string): number {
  let found = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) {
    found += 1;
  }
  return found;
}
