/** Parses a text; undefined if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutMark(text));
  } catch {
    return undefined; // The caller knows best what to do then.
  }
}

/** Parses a text that is a JSON object; undefined if it is none. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  return asObject(parseJson(text));
}

/**
 * What is only carried keeps its digits: integers beyond 2^53 that are a seed or stand anywhere but
 * at the top are read as what `JSON.stringify` writes as they were (`JSON.rawJSON`), an object for
 * each, of which `onKept` is told. Throws for no JSON.
 */
export function readExactJson(given: string, onKept?: () => void): unknown {
  const text = withoutMark(given);
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  const json = EXACT.parse(text, keepingDigits(onKept));
  const own = asObject(json);
  // Fields that somebody here may reckon with: lengths, times.
  return own === undefined
    ? numberOf(json)
    : mapValues(own, (key, value) => (CARRIED.has(key) ? value : numberOf(value)));
}

/** Fields at the top that are only carried, too. */
const CARRIED = new Set(["seed"]);

/** The same with all digits, also at the top: of a part that stands further in. */
export function readExactPart(text: string, onKept?: () => void): unknown {
  return LONG_INTEGER.test(text) ? EXACT.parse(text, keepingDigits(onKept)) : JSON.parse(text);
}

/** The same as `parseObject` does it: undefined for what is no JSON object. */
export function parseExactObject(given: string): Record<string, unknown> | undefined {
  const text = withoutMark(given);
  try {
    return asObject(
      LONG_INTEGER.test(text) ? EXACT.parse(text, keepingDigits()) : JSON.parse(text),
    );
  } catch {
    return undefined;
  }
}

/** A JSON text and the value that was read of it. */
export interface ReadJson<T extends object> {
  bytes: Uint8Array;
  value: T;
  /** No digits were lost (`readExactJson`). Default: they may have been. */
  isExact?: boolean;
}

/** The value that was read, with exact digits if any were lost. */
export function withExactDigits<T extends object>({ bytes, value, isExact }: ReadJson<T>): T {
  if (isExact === true) return value;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return LONG_INTEGER.test(text) ? { ...value, ...asObject(readExactJson(text)) } : value;
}

/** May be an integer beyond 2^53; within a text it does no harm. */
const LONG_INTEGER = /[:,[\s]-?\d{16}/;

/** As ECMAScript 2026 has it: TypeScript does not know yet. */
interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, at: Source) => unknown): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { rawJSON: string };
}
interface Source {
  /** Of a number, a text or a word: how it was written. */
  source?: string;
}

const EXACT = JSON as unknown as ExactJson;

function keepingDigits(onKept?: () => void) {
  return (_: string, value: unknown, { source }: Source): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    if (source === undefined || !/^-?\d+$/.test(source)) return value;
    onKept?.();
    return EXACT.rawJSON(source);
  };
}

/** The number that an integer of exact digits comes nearest to; all else as it is. */
export function numberOf(value: unknown): unknown {
  return EXACT.isRawJSON(value) ? Number(value.rawJSON) : value;
}

/** Without a byte order mark, which some servers send (RFC 8259, 8.1: it may be passed over). */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The same of bytes in UTF-8. */
export function withoutByteMark<B extends ArrayBufferLike>(bytes: Uint8Array<B>): Uint8Array<B> {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

function mapValues(
  object: Record<string, unknown>,
  change: (key: string, value: unknown) => unknown,
) {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(key, value)]),
  );
}

function asObject(json: unknown): Record<string, unknown> | undefined {
  // An integer of exact digits is an object, too.
  return typeof json === "object" && json !== null && !Array.isArray(json) && !EXACT.isRawJSON(json)
    ? { ...json }
    : undefined;
}
