import { asBuffer } from "../../../lib/buffer.ts";
import { memberSpan, replaceSpan } from "../../../lib/jsonspan.ts";
import { withFixedStamp } from "../../../wire/clientstamp.ts";

/** Behind this many bytes of the system text no stamp is looked for. */
const LOOK_BYTES = 1024;

const STAMP = /"x-anthropic-billing-header:[^\n"\\]*?\bcch=([0-9a-f]+)/d;

/**
 * The body of a request for messages with the stamp of Anthropic's clients made the same; nothing
 * else of it changes. `system` is that field of it, parsed. Without a stamp, `body` itself.
 */
export function withFixedStampIn(
  body: Uint8Array<ArrayBuffer>,
  system: unknown,
): Uint8Array<ArrayBuffer> {
  const text: unknown = Array.isArray(system) ? Object(system[0]).text : system;
  if (typeof text !== "string" || withFixedStamp(text) === text) return body;
  const bytes = asBuffer(body);
  const span = memberSpan(bytes, "system");
  if (span === undefined) return body;
  // Of an alphabet of one byte a letter, so that places in it are those of bytes.
  const shown = bytes.toString("latin1", span.start, Math.min(span.end, span.start + LOOK_BYTES));
  const place = STAMP.exec(shown)?.indices?.[1];
  if (place === undefined) return body;
  const [start, end] = place;
  const stamp = { start: span.start + start, end: span.start + end };
  return replaceSpan(bytes, stamp, "-") as Uint8Array<ArrayBuffer>;
}
