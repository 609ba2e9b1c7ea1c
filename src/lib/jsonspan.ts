import { parseJson } from "./json.ts";

/** Where a value is in the bytes of a JSON text. */
export interface Span {
  start: number;
  /** The offset after its last byte. */
  end: number;
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
/** Of a letter that is written as `\u0061`. */
const ESCAPE_BYTES = 6;
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Finds the value of the first member `name` of the object that begins at `from`, or after white
 * space there. Members of inner objects do not count. Undefined if there is no such member or no
 * object. The bytes must be JSON.
 */
export function memberSpan(bytes: Buffer, name: string, from = 0): Span | undefined {
  const quoted = `"${name}"`;
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN) return undefined;
  at = skipSpace(bytes, at + 1);
  while (bytes[at] === QUOTE) {
    const nameEnd = endOfString(bytes, at);
    const isFound = isName(bytes, { start: at, end: nameEnd }, quoted);
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== COLON) return undefined;
    const start = skipSpace(bytes, at + 1);
    const end = endOfValue(bytes, start);
    if (isFound) return { start, end };
    at = skipSpace(bytes, end);
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1);
  }
  return undefined;
}

/** Whether a string is this one of plain letters, each of which may be written with an escape. */
function isName(bytes: Buffer, { start, end }: Span, quoted: string): boolean {
  const length = end - start;
  if (length === quoted.length) return bytes.toString("latin1", start, end) === quoted;
  if (length < quoted.length || length > ESCAPE_BYTES * quoted.length) return false;
  const written = bytes.toString("latin1", start, end);
  return written.includes("\\") && parseJson(written) === JSON.parse(quoted);
}

/** A copy of the bytes with `value` in place of the span. */
export function replaceSpan(bytes: Buffer, { start, end }: Span, value: string): Buffer {
  const inserted = Buffer.from(value);
  return Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(end)]);
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}

function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at) - 1;
      if (depth === 0) return at + 1;
    } else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      // A number or a literal ends where its container ends.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || (byte ?? 0) <= 0x20)) return at;
  }
  return bytes.length;
}

/** The offset after the closing quote of the string at `start`. `indexOf` is fast on long texts. */
function endOfString(bytes: Buffer, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = bytes.indexOf(QUOTE, from);
    if (quote === -1) return bytes.length;
    let slashes = 0;
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
