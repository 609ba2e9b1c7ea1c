import type { ZodType } from "zod";
import { withoutByteMark } from "../../lib/json.ts";
import { ApiError } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import { parseJsonObject, parseListBody } from "./json.ts";
import { withIdleLimit, withoutIdleLimit } from "./listen.ts";
import type { Scope } from "./scope.ts";

/** A JSON request body: its bytes as they came, and the value that the schema read. */
export interface JsonBody<T> {
  bytes: Uint8Array<ArrayBuffer>;
  value: T;
  /** Integers beyond 2^53 have their digits; else they may have lost them. */
  isExact: boolean;
}

/** A schema with a cheaper check for bodies that are valid and that it would not change. */
export interface GuardedSchema<T> {
  schema: ZodType<T>;
  /** True only if the schema takes `json` unchanged. */
  accepts(json: unknown): json is T;
}

const REMEDY = "send application/json";

/** Fields that we act on although the bytes go on unchanged, so they may occur only once. */
const UNIQUE_FIELDS = ["model", "stream"] as const;

/**
 * Reads a JSON object body of at most `limitBytes` and checks it with `schema`. From then on the
 * connection has no idle limit. Throws 415 for another content type (except on Ollama's routes) or
 * a compressed body, 413 for too many bytes, 400 for any other defect.
 */
export async function readJson<T>(
  c: Scope,
  schema: ZodType<T> | GuardedSchema<T>,
  limitBytes: number,
): Promise<JsonBody<T>> {
  requireJson(c.req.raw.headers, c.req.path);
  // It is not sent on either: it must not be there.
  const bytes = withoutByteMark(await readBytes(c, limitBytes));
  withoutIdleLimit(c);
  const parsed = parseJsonObject(bytes, UNIQUE_FIELDS);
  const { json, isExact } = parsed instanceof Promise ? await parsed : parsed;
  if (!("accepts" in schema)) {
    const value = check(json, schema);
    const change = c.get("change");
    if (change !== undefined) change.body = value;
    return { bytes, value, isExact };
  }
  return { bytes, value: schema.accepts(json) ? json : check(json, schema.schema), isExact };
}

/**
 * The same for a JSON list, which is small: its schema bounds it. Throws as `readJson` does.
 */
export async function readJsonList<T>(
  c: Scope,
  schema: ZodType<T[]>,
  limitBytes: number,
): Promise<T[]> {
  requireJson(c.req.raw.headers, c.req.path);
  const bytes = withoutByteMark(await readBytes(c, limitBytes));
  withoutIdleLimit(c);
  return check(parseListBody(bytes), schema);
}

/** A body takes its bytes, as much for what is read of them, and as much again on the way. */
const BYTES_PER_BYTE = 3;
/** What one of unknown length takes at first. */
const UNKNOWN_BYTES = 64 * 1024;

/**
 * Reads the whole body of a request, once there is memory for it. Throws 413 for more than
 * `limitBytes`, 400 if the sender breaks off, and what `BodyMemory` throws.
 */
export function readBytes(c: Scope, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  // No async functions here: each one costs time in every request.
  const request = c.req.raw;
  const declared = request.headers.get("content-length");
  const length = declared === null ? UNKNOWN_BYTES : Number(declared);
  if (length > limitBytes && declared !== null) return Promise.reject(tooLarge(limitBytes));
  const read = () =>
    declared === null
      ? readCapped(c, limitBytes).catch(incomplete)
      : request.arrayBuffer().then((buffer) => Buffer.from(buffer), incomplete);
  const isWaiting = takeMemory(c, length * BYTES_PER_BYTE);
  return isWaiting === undefined ? read() : isWaiting.then(read);
}

/**
 * Takes so many bytes of the memory for bodies, until the request ends. Undefined: at once. Throws
 * (rejects with) what `BodyMemory` throws.
 */
export function takeMemory(c: Scope, bytes: number): Promise<void> | undefined {
  const taken = c.get("bodies")?.take(bytes, c.req.raw);
  if (taken === undefined) return undefined;
  if (!(taken instanceof Promise)) return void c.set("bodyShare", taken);
  // The client is not to be taken for idle.
  withoutIdleLimit(c);
  return taken.then((share) => {
    if (c.get("isOver") === true) share.release();
    withIdleLimit(c);
    c.set("bodyShare", share);
  });
}

function incomplete(cause: unknown): never {
  if (cause instanceof ApiError) throw cause;
  throw new ApiError("invalid_request", "Reading the request body failed: it ended early.", {
    code: "body_incomplete",
    cause,
  });
}

async function readCapped(c: Scope, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const { body } = c.req.raw;
  if (body === null) return new Uint8Array(0);
  const share = c.get("bodyShare");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limitBytes) throw tooLarge(limitBytes);
    share?.grow(size * BYTES_PER_BYTE);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function tooLarge(limitBytes: number): ApiError {
  const message = `The request body is too large: at most ${limitBytes} bytes are accepted here.`;
  return new ApiError("body_too_large", message);
}

function requireJson(headers: Headers, path: string): void {
  const header = headers.get("content-type");
  if (header !== "application/json" && !isUntyped(header, headers, path)) requireJsonType(header);
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw unsupported(`The content encoding ${encoding}`, "send the body uncompressed");
  }
}

/**
 * Whether the content type does not matter: it may be absent, and Ollama's routes take any, because
 * its documentation uses curl, which says "form". Web pages of other sites can send both without a
 * CORS preflight, so requests with an `Origin` must say JSON.
 */
function isUntyped(header: string | null, headers: Headers, path: string): boolean {
  return (header === null || dialectOf(path) === "ollama") && !headers.has("origin");
}

function requireJsonType(header: string | null): void {
  if (header === null) throw unsupported("A web page's body without a content type", REMEDY);
  const [type = "", ...parameters] = header.toLowerCase().split(";");
  const name = type.trim();
  if (name !== "application/json" && !/^application\/[\w.-]+\+json$/.test(name)) {
    throw unsupported(`The content type ${name}`, REMEDY);
  }
  const charset = parameters.find((parameter) => parameter.trim().startsWith("charset="));
  if (charset !== undefined && !/=\s*"?(utf-?8|us-ascii)"?\s*$/.test(charset)) {
    throw unsupported(`The${charset.replace("=", " ")}`, "send UTF-8");
  }
}

function unsupported(what: string, remedy: string): ApiError {
  return new ApiError(
    "unsupported_media_type",
    `${what} is not supported on this route: ${remedy}.`,
  );
}

function check<T>(json: unknown, schema: ZodType<T>): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const param = [...(issue?.path ?? []), ...unknown].join(".");
  const text = issue?.message ?? "";
  // Our own messages name their field; those of zod do not.
  const reason = param === "" || /`|^Unrecognized/.test(text) ? text : `\`${param}\`: ${text}`;
  const end = reason.endsWith("?") ? "" : ".";
  throw new ApiError("invalid_request", `The request is invalid: ${reason}${end}`, {
    ...(param === "" ? {} : { param }),
  });
}
