import { stepInTurns } from "../../lib/eventloop.ts";
import { JsonFault, type JsonFaultKind } from "../../lib/jsonfault.ts";
import { JsonReader } from "../../lib/jsonreader.ts";
import { AT_ONCE_BYTES_MAX } from "../../lib/jsonturns.ts";
import { ApiError } from "../../wire/error.ts";

/** Deepest nesting. Far more than real requests have; parsers behind us may recurse per level. */
export const JSON_DEPTH_MAX = 128;

/**
 * Most texts, names, objects and lists, most integers beyond 2^53, and most values in all. A list
 * of tokens may be long; so many messages are more than any model reads.
 */
const JSON_ITEMS_MAX = 200_000;
const JSON_VALUES_MAX = 2_000_000;

const LIMITS = {
  depthMax: JSON_DEPTH_MAX,
  itemsMax: JSON_ITEMS_MAX,
  exactMax: JSON_ITEMS_MAX,
  valuesMax: JSON_VALUES_MAX,
  tokenBytesMax: 256 * 1024,
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A request body as it was parsed. */
export interface JsonObject {
  json: object;
  /** Integers beyond 2^53 have their digits (`readExactJson`); else they may have lost them. */
  isExact: boolean;
}

/**
 * Parses a request body that is a JSON object; a large one in many turns of the event loop. Throws
 * (rejects with) 400 `invalid_json` for bytes that are not UTF-8, not JSON, not an object or beyond
 * a limit. Throws 400 `duplicate_key` when one of the `unique` fields occurs twice: the bytes go on
 * unchanged, and the next parser might see the other value.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  unique: readonly string[],
): JsonObject | Promise<JsonObject> {
  return bytes.byteLength <= AT_ONCE_BYTES_MAX
    ? { json: parseAtOnce(bytes, unique), isExact: false }
    : parseInTurns(bytes, unique);
}

/** Parses a small request body that is a JSON list. Throws as `parseJsonObject` does. */
export function parseListBody(bytes: Uint8Array): unknown[] {
  const { json } = parse(bytes);
  if (!Array.isArray(json)) throw invalid("it must be a JSON list");
  if (nestedDeeper(json, JSON_DEPTH_MAX)) throw refusal("depth");
  return json;
}

function parseAtOnce(bytes: Uint8Array, unique: readonly string[]): object {
  const { text, json } = parse(bytes);
  if (!isObject(json) || Array.isArray(json)) throw refusal("no_object");
  if (nestedDeeper(json, JSON_DEPTH_MAX)) throw refusal("depth");
  if (unique.some((key) => mayRepeat(text, key))) {
    const reader = new JsonReader(bytes, LIMITS, unique);
    while (!step(reader));
    requireSingle(reader);
  }
  return json;
}

async function parseInTurns(bytes: Uint8Array, unique: readonly string[]): Promise<JsonObject> {
  const reader = new JsonReader(bytes, LIMITS, unique);
  await stepInTurns(() => step(reader));
  requireSingle(reader);
  return { json: reader.value, isExact: true };
}

/** Reads one slice; true: all has been read. */
function step(reader: JsonReader): boolean {
  try {
    return reader.step();
  } catch (error) {
    throw error instanceof JsonFault ? refusal(error.kind, error.cause) : error;
  }
}

function requireSingle({ repeated }: JsonReader): void {
  if (repeated === undefined) return;
  const message = `The field \`${repeated}\` is given twice: send it once.`;
  throw new ApiError("invalid_request", message, { code: "duplicate_key", param: repeated });
}

function parse(bytes: Uint8Array): { text: string; json: unknown } {
  if (bytes.byteLength === 0) throw invalid("it is empty");
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw refusal("encoding", cause);
  }
  try {
    return { text, json: JSON.parse(text) };
  } catch (cause) {
    throw refusal("syntax", cause);
  }
}

const REASONS: Record<JsonFaultKind, string> = {
  encoding: "it is not UTF-8",
  syntax: "it is not valid JSON",
  no_object: "it must be a JSON object",
  depth: `it is nested deeper than ${JSON_DEPTH_MAX} levels`,
  items: `it has more than ${JSON_ITEMS_MAX} texts, names, objects and lists, or as many integers \
beyond 2^53, or more than ${JSON_VALUES_MAX} values`,
  token: `a name, a number or white space in it is longer than ${LIMITS.tokenBytesMax} bytes`,
};

function refusal(kind: JsonFaultKind, cause?: unknown): ApiError {
  return invalid(REASONS[kind], cause);
}

function invalid(reason: string, cause?: unknown): ApiError {
  const message = `The request body could not be read: ${reason}. Send JSON in UTF-8.`;
  return new ApiError("invalid_request", message, { code: "invalid_json", cause });
}

function nestedDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value))
    return value.some((item) => isObject(item) && nestedDeeper(item, levels - 1));
  for (const key in value) {
    const item: unknown = Reflect.get(value, key);
    if (isObject(item) && nestedDeeper(item, levels - 1)) return true;
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A quick check. False: the key occurs at most once, and not with escaped letters. */
function mayRepeat(text: string, key: string): boolean {
  const quoted = `"${key}"`;
  const first = text.indexOf(quoted);
  if (first >= 0 && text.includes(quoted, first + 1)) return true;
  return text.includes("\\u00") && /\\u00[4-7]/i.test(text);
}
