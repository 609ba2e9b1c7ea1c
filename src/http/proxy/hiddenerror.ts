import { asBuffer } from "../../lib/buffer.ts";
import { parseObject } from "../../lib/json.ts";
import { ApiError } from "../../wire/error.ts";

/** Longer answers are no errors. */
const ERROR_BYTES_MAX = 64 * 1024;
const ERROR_KEY = Buffer.from('"error"');

/** Fields that only an answer has. */
const ANSWER_FIELDS = [
  ...["choices", "data", "output", "content", "message", "response", "results", "candidates"],
  ...["embedding", "embeddings", "input_tokens", "text"],
];

/**
 * The status that an answer ought to have: some servers and gateways send an error with 200. The
 * status that its body tells, else 502; undefined for an answer that is one.
 */
export function hiddenErrorStatus(bytes: Buffer): number | undefined {
  if (bytes.length > ERROR_BYTES_MAX || !bytes.includes(ERROR_KEY)) return undefined;
  const answer = parseObject(bytes.toString("utf8"));
  const error = answer?.error;
  if (answer === undefined || error === null || error === undefined || error === false) {
    return undefined;
  }
  if (ANSWER_FIELDS.some((field) => answer[field] != null)) return undefined;
  const { code, status } = Object(error) as { code?: unknown; status?: unknown };
  return [code, status, answer.status, answer.code].map(Number).find(isErrorStatus) ?? 502;
}

const FIRST_DATA = /^data:(.*)$/m;

/** The status that the first event ought to have had, if it tells of an error. */
export function errorStatusInEvents(bytes: Uint8Array): number | undefined {
  return statusIn(bytes, (text) => FIRST_DATA.exec(text)?.[1]);
}

/** The same of the first line of JSON. */
export function errorStatusInLines(bytes: Uint8Array): number | undefined {
  return statusIn(bytes, (text) => text.trimStart().split("\n", 1)[0]);
}

function statusIn(bytes: Uint8Array, first: (text: string) => string | undefined) {
  const buffer = asBuffer(bytes);
  if (bytes.length > ERROR_BYTES_MAX || !buffer.includes(ERROR_KEY)) return undefined;
  return hiddenErrorStatus(Buffer.from(first(buffer.toString("utf8")) ?? ""));
}

function isErrorStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 400 && status < 600;
}

/** White space, or `null`. */
function isNothing(bytes: Uint8Array): boolean {
  if (bytes.byteLength > NOTHING_BYTES_MAX) return false;
  const text = asBuffer(bytes).toString("latin1");
  return /^\s*(?:null\s*)?$/.test(text);
}

const NOTHING_BYTES_MAX = 64;
const JSON_TYPE = "application/json";

/** Throws `upstream` for a successful answer that is empty or a page for people. */
export function requireContent(bytes: Uint8Array, type: string, label: string): void {
  const isPage = /^text\/html\b/i.test(type);
  const isEmpty = bytes.byteLength === 0 || (type.startsWith(JSON_TYPE) && isNothing(bytes));
  if (!isEmpty && !isPage) return;
  const what = isPage ? "with a web page" : "with nothing";
  const message = `The request failed at ${label}: it answered ${what} instead of an answer. \
Check its address.`;
  throw new ApiError("upstream", message);
}

/** A 502 (`upstream`) for a stream without an event. */
export function nothingCame(): ApiError {
  const message = "The answer could not be read: its stream ended before its first event.";
  return new ApiError("upstream", message);
}
