/** A longer object is not one with token counts. */
export const OBJECT_BYTES_MAX = 2048;

export const [QUOTE, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d];
const [BACKSLASH, COLON, LINE_FEED] = [0x5c, 0x3a, 0x0a];
const [ZERO, NINE] = [0x30, 0x39];

/** The start of the object after a colon; undefined if something else follows. */
export function objectAfter(bytes: Uint8Array, from: number): number | undefined {
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

/** The end of the object at `start`; undefined if it is cut off or too long. */
export function endOfObject(bytes: Uint8Array, start: number): number | undefined {
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

/** The position after the closing quote of the string at `start`, at most `limit`. */
export function endOfString(bytes: Uint8Array, start: number, limit: number): number {
  for (let at = start + 1; at < limit; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return limit;
}

/** The number of objects and lists around `from`: those that are closed after it. */
export function depthAt(bytes: Uint8Array, from: number, lines: boolean): number {
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

/** The whole number after a colon; undefined if something else follows. */
export function numberAfter(
  bytes: Buffer,
  from: number,
): { value: number; end: number } | undefined {
  let at = skipSpace(bytes, from);
  if (bytes[at] !== COLON) return undefined;
  const start = skipSpace(bytes, at + 1);
  at = start;
  while ((bytes[at] ?? 0) >= ZERO && (bytes[at] ?? 0) <= NINE && at - start < 16) at += 1;
  return at === start ? undefined : { value: Number(bytes.toString("latin1", start, at)), end: at };
}
