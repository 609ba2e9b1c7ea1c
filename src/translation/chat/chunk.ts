import { z } from "zod";
import { parseExactObject, readExactJson } from "../../lib/json.ts";
import { ChatChunk } from "../../wire/chat.ts";
import { ApiError } from "../../wire/error.ts";
import { DONE, type ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError, type UpstreamErrorReport } from "../../wire/upstreamerror.ts";
import { parseAnswer, unreadableAnswer } from "../validation.ts";

/**
 * One event of a stream of chat completions; "done" for its end. Throws the error that the event
 * tells of, or `upstream` for one that makes no sense.
 */
export function parseChatChunk({ event, data }: ServerEvent): ChatChunk | "done" {
  if (data.trim() === DONE) return "done";
  const json = parseEventData(data);
  if (event === "error" || isErrorObject(json)) throw failed(readUpstreamError(undefined, json));
  const chunk = parseAnswer(ChatChunk, json);
  for (const choice of chunk.choices) refuseFailed(choice);
  return chunk;
}

/** How servers say that a choice failed on the way, although its stream ends in good order. */
const FAILED = new Set(["error", "abort", "network_error", "insufficient_system_resource"]);

/**
 * Throws the error of a choice that failed (OpenRouter and others tell of it in the choice, with
 * status 200): what was said until then is no answer.
 */
export function refuseFailed(choice: ChoiceEnd): void {
  const { error, finish_reason: finish } = choice;
  if (tellsError(error)) throw failed(readUpstreamError(undefined, { error }));
  if (finish == null || !FAILED.has(finish)) return;
  throw failed({ kind: "upstream", message: `it ended with \`${finish}\`` });
}

/** An error in an event: OpenAI's and most others', or that of older servers and of FastAPI. */
function isErrorObject(json: unknown): boolean {
  if (typeof json !== "object" || json === null) return false;
  const { error, object, type } = json as Record<string, unknown>;
  return tellsError(error) || object === "error" || type === "error";
}

/** Some have the field in every event, with nothing in it. */
function tellsError(error: unknown): boolean {
  return typeof error === "object" && error !== null
    ? Object.keys(error).length > 0
    : typeof error === "string" && error !== "";
}

/** What a choice tells of its end. */
interface ChoiceEnd {
  finish_reason?: string | null | undefined;
  error?: unknown;
}

function failed({ kind, message }: Pick<UpstreamErrorReport, "kind" | "message">): ApiError {
  // Whatever it is, it is not the client's: the endpoint had taken the request.
  const isOwn = kind === "rate_limited" || kind === "unavailable" || kind === "timeout";
  const text = `The answer broke off: the endpoint reports an error: ${message}`;
  return new ApiError(isOwn ? kind : "upstream", text, { code: "stream_error" });
}

const Logprobs = z.looseObject({ content: z.array(z.unknown()).nullish() });

/** The log probabilities of a choice's tokens; none where there are none. */
export function tokenLogprobs({ logprobs }: { logprobs?: unknown }): unknown[] {
  return Logprobs.safeParse(logprobs).data?.content ?? [];
}

/** What the model thought: `reasoning_content` with most servers, `reasoning` with some. */
export function reasoningText(said: Record<string, unknown>): string {
  const text = said.reasoning_content || said.reasoning;
  return typeof text === "string" ? text : "";
}

/** The arguments of a call, none of which may be written as no text; undefined for no object. */
export function parseToolArguments(text: string): Record<string, unknown> | undefined {
  return text.trim() === "" ? {} : parseExactObject(text);
}

/** The error of a stream that ended before its last event. */
export function unfinishedStream(): ApiError {
  const message = "The answer broke off: the endpoint ended it before it was finished. Try again.";
  return new ApiError("upstream", message, { code: "stream_broken" });
}

/** Whatever is thrown while a stream is read, as the client is told. */
export function streamError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const message = "The answer broke off: it could not be read. Try again.";
  return new ApiError("upstream", message, { code: "invalid_answer", cause: thrown });
}

/** The data of an event. Throws `upstream` for what is no JSON. */
export function parseEventData(data: string): unknown {
  try {
    return readExactJson(data);
  } catch (cause) {
    throw unreadableAnswer("an event of it is no JSON", cause);
  }
}
