import { ApiError } from "../../wire/error.ts";

/** Deepest nesting. Far more than real requests have; parsers behind us may recurse per level. */
export const JSON_DEPTH_MAX = 128;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses a request body that is a JSON object. Throws 400 `invalid_json` for bytes that are not
 * UTF-8, not JSON, not an object or nested too deep. Throws 400 `duplicate_key` when one of the
 * `unique` fields occurs twice: the bytes go on unchanged, and the next parser might see the other
 * value.
 */
export function parseJsonObject(bytes: Uint8Array, unique: readonly string[]): object {
  const { text, json } = parse(bytes);
  if (!isObject(json) || Array.isArray(json)) {
    throw invalid("it must be a JSON object");
  }
  if (nestedDeeper(json, JSON_DEPTH_MAX)) {
    throw invalid(`it is nested deeper than ${JSON_DEPTH_MAX} levels`);
  }
  const twice = unique.find((key) => mayRepeat(text, key) && topLevelCount(text, key) > 1);
  if (twice === undefined) return json;
  throw new ApiError("invalid_request", `The field \`${twice}\` is given twice: send it once.`, {
    code: "duplicate_key",
    param: twice,
  });
}

function parse(bytes: Uint8Array): { text: string; json: unknown } {
  if (bytes.byteLength === 0) throw invalid("it is empty");
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw invalid("it is not UTF-8", cause);
  }
  try {
    return { text, json: JSON.parse(text) };
  } catch (cause) {
    throw invalid("it is not valid JSON", cause);
  }
}

function invalid(reason: string, cause?: unknown): ApiError {
  const message = `The request body could not be read: ${reason}. Send a JSON object in UTF-8.`;
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

/** How often the outermost object of the valid JSON `text` has `key`. */
function topLevelCount(text: string, key: string): number {
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;
  let depth = 0;
  let count = 0;
  let name: string | undefined;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (token !== ":") name = depth === 1 ? token : undefined;
    else if (name !== undefined && JSON.parse(name) === key) count += 1;
    if (token.length === 1) name = undefined;
  }
  return count;
}
