import { ChatChunk } from "../../wire/chat.ts";
import { ApiError } from "../../wire/error.ts";
import { DONE, type ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError, type UpstreamErrorReport } from "../../wire/upstreamerror.ts";
import { parseAnswer, parseEventData } from "../validation.ts";

/**
 * Reads one event of a stream of chat completions; "done" is the event that ends it. An event that
 * reports an error is thrown as that error; an event that cannot be read throws `upstream`.
 */
export function parseChatChunk({ event, data }: ServerEvent): ChatChunk | "done" {
  if (data.trim() === DONE) return "done";
  const json = parseEventData(data);
  if (event === "error" || isErrorObject(json))
    throw errorInStream(readUpstreamError(undefined, json));
  const chunk = parseAnswer(ChatChunk, json);
  for (const choice of chunk.choices) refuseFailedChoice(choice);
  return chunk;
}

/** How servers say that a choice failed on the way, although its stream ends in good order. */
const FAILURE_REASONS = new Set([
  "error",
  "abort",
  "network_error",
  "insufficient_system_resource",
]);

/**
 * Throws the error of a choice that failed (OpenRouter and others tell of it in the choice, with
 * status 200): what was said until then is no answer.
 */
export function refuseFailedChoice(choice: ChoiceEnd): void {
  const { error, finish_reason: finish } = choice;
  if (reportsError(error)) throw errorInStream(readUpstreamError(undefined, { error }));
  if (finish == null || !FAILURE_REASONS.has(finish)) return;
  throw errorInStream({ kind: "upstream", message: `it ended with \`${finish}\`` });
}

/** An error in an event: OpenAI's and most others', or that of older servers and of FastAPI. */
function isErrorObject(json: unknown): boolean {
  if (typeof json !== "object" || json === null) return false;
  const { error, object, type } = json as Record<string, unknown>;
  return reportsError(error) || object === "error" || type === "error";
}

/** Whether an `error` is one: some have the field in every event, with nothing in it. */
export function reportsError(error: unknown): boolean {
  return typeof error === "object" && error !== null
    ? Object.keys(error).length > 0
    : typeof error === "string" && error !== "";
}

/** What a choice tells of its end. */
interface ChoiceEnd {
  finish_reason?: string | null | undefined;
  error?: unknown;
}

function errorInStream({ kind, message }: Pick<UpstreamErrorReport, "kind" | "message">): ApiError {
  // Whatever it is, it is not the client's: the endpoint had taken the request.
  const isOwn = kind === "rate_limited" || kind === "unavailable" || kind === "timeout";
  const text = `The answer broke off: the endpoint reports an error: ${message}`;
  return new ApiError(isOwn ? kind : "upstream", text, { code: "stream_error" });
}
