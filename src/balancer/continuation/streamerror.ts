import { parseObject } from "../../lib/json.ts";
import { ApiError, type ErrorKind } from "../../wire/error.ts";
import { DONE, type ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import type { EventFraming } from "./framing.ts";

/**
 * Where the first event begins that tells of an error of the upstream's, and the error. Nobody
 * listens to what is behind the last event of a stream.
 */
export function placeOfError(
  events: Buffer,
  framing: EventFraming,
): { start: number; error: ApiError } | undefined {
  for (let start = 0; start < events.length; ) {
    const end = framing.endOfFirst(events, start);
    const [read] = framing.read([events.subarray(start, end)]);
    const error = read === undefined ? undefined : errorIn(read);
    if (error !== undefined) return { start, error };
    if (read !== undefined && isLast(read)) return undefined;
    start = end;
  }
  return undefined;
}

const LAST_EVENTS = new Set<unknown>(["message_stop", "response.completed", "response.incomplete"]);

function isLast({ event, data }: ServerEvent): boolean {
  if (data.trim() === DONE) return true;
  const json = parseObject(data);
  return json?.done === true || LAST_EVENTS.has(event ?? json?.type);
}

/** Errors of an upstream that another one need not have. */
export const BREAK_KINDS = new Set<ErrorKind>([
  ...(["upstream", "unavailable", "timeout", "rate_limited", "internal"] as const),
]);

function errorIn({ event, data }: ServerEvent): ApiError | undefined {
  const json = parseObject(data);
  if (json === undefined) return undefined;
  const { error, choices, response } = json;
  const failed = Array.isArray(choices) ? choices.map(failureOf).find(isThere) : undefined;
  const isTold = isError(error) || event === "error";
  const told = event === "response.failed" ? response : isTold ? json : failed;
  if (told === undefined) return undefined;
  const { kind, message, code } = readUpstreamError(undefined, told);
  if (!BREAK_KINDS.has(kind)) return undefined;
  return new ApiError(kind, message, { code: code ?? "stream_error" });
}

/** A choice that failed on the way, as some servers say it: `abort` is vLLM's and SGLang's. */
function failureOf(choice: unknown): object | undefined {
  const { error, finish_reason: finish } = Object(choice) as Record<string, unknown>;
  if (isError(error)) return { error };
  const isFailure = finish === "error" || finish === "abort";
  return isFailure ? { error: `it ended with \`${finish}\`` } : undefined;
}

function isError(error: unknown): boolean {
  return typeof error === "object" && error !== null
    ? Object.keys(error).length > 0
    : typeof error === "string" && error !== "";
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
