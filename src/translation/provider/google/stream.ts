import { readExactJson } from "../../../lib/json.ts";
import { ApiError, errorFrame } from "../../../wire/error.ts";
import { GoogleAnswer, type GoogleCandidate, type GoogleUsage } from "../../../wire/google.ts";
import { DONE_FRAME, eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { readUpstreamError } from "../../../wire/upstreamerror.ts";
import { completionId, unixTimeS } from "../../ids.ts";
import type { StreamTranslation } from "../../translation.ts";
import {
  blockedPromptMessage,
  type ChatPiece,
  chatLogprobsFromGoogle,
  chatPieceFromGoogle,
  chatUsageFromGoogle,
  finishReasonFromGoogle,
  unreadableGoogleAnswer,
} from "./answer.ts";
import { thoughtSignatureField } from "./thoughtsignature.ts";

export interface GoogleStreamOptions {
  /** As the client wrote it. */
  model: string;
  /** The client asked for `stream_options.include_usage`. */
  includesUsage: boolean;
}

/** What is known of one candidate so far. */
interface Choice {
  calls: number;
  hasBegun: boolean;
  isFinished: boolean;
}

/**
 * Chunks of a chat completion, made of Google's events: each is an answer that holds what is new.
 * There is no event that ends the stream; it is complete if each candidate said why it stopped.
 */
export class ChatStreamFromGoogle implements StreamTranslation {
  readonly #options: GoogleStreamOptions;
  readonly #created = unixTimeS();
  readonly #choices = new Map<number, Choice>();
  #id: string | undefined;
  #usage: GoogleUsage | undefined;
  #hasFailed = false;

  constructor(options: GoogleStreamOptions) {
    this.#options = options;
  }

  push({ data }: ServerEvent): string {
    if (this.#hasFailed) return "";
    try {
      return this.#answer(read(data));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return this.#fail(error);
    }
  }

  end(): string {
    if (this.#hasFailed) return "";
    const choices = [...this.#choices.values()];
    if (choices.length === 0 || choices.some(({ isFinished }) => !isFinished)) {
      return this.#fail(unreadableGoogleAnswer("it broke off before its end"));
    }
    const usage = this.#usage;
    if (!this.#options.includesUsage || usage === undefined) return DONE_FRAME;
    return (
      eventFrame({ ...this.#head(), choices: [], usage: chatUsageFromGoogle(usage) }) + DONE_FRAME
    );
  }

  fail(error: ApiError): string {
    return this.#hasFailed ? "" : this.#fail(error);
  }

  #fail(error: ApiError): string {
    this.#hasFailed = true;
    return errorFrame(error, "openai");
  }

  #answer({ candidates, promptFeedback, usageMetadata, responseId }: GoogleAnswer): string {
    this.#id ??= completionId(responseId);
    if (usageMetadata) this.#usage = usageMetadata;
    const blocked = promptFeedback?.blockReason;
    if (candidates.length === 0 && blocked !== undefined) {
      this.#choices.set(0, { calls: 0, hasBegun: true, isFinished: true });
      const said = this.#chunk({
        index: 0,
        delta: blockedPromptMessage(blocked),
        finish_reason: null,
      });
      return said + this.#chunk({ index: 0, delta: {}, finish_reason: "content_filter" });
    }
    return candidates.map((candidate) => this.#candidate(candidate)).join("");
  }

  #candidate(candidate: GoogleCandidate): string {
    const { index, content, finishReason, logprobsResult } = candidate;
    const choice = this.#choices.get(index) ?? { calls: 0, hasBegun: false, isFinished: false };
    this.#choices.set(index, choice);
    if (choice.isFinished) return "";
    const deltas = content
      .map((part) => deltaOf(chatPieceFromGoogle(part), choice))
      .filter(isSaying);
    const isLast = typeof finishReason === "string" && finishReason !== "";
    const finish = isLast ? finishReasonFromGoogle(candidate, choice.calls > 0) : null;
    const logprobs = logprobsResult ? { logprobs: chatLogprobsFromGoogle(logprobsResult) } : {};
    const chunks = deltas.map((delta, at) => {
      const role = choice.hasBegun ? {} : { role: "assistant" };
      choice.hasBegun = true;
      const more = at === 0 ? logprobs : {};
      return this.#chunk({ index, delta: { ...role, ...delta }, finish_reason: null, ...more });
    });
    if (!isLast) return chunks.join("");
    const delta = choice.hasBegun ? {} : { role: "assistant", content: "" };
    choice.hasBegun = true;
    choice.isFinished = true;
    const more = chunks.length === 0 ? logprobs : {};
    return chunks.join("") + this.#chunk({ index, delta, finish_reason: finish, ...more });
  }

  #head() {
    const { model } = this.#options;
    const object = "chat.completion.chunk";
    return { id: this.#id ?? completionId(), object, created: this.#created, model };
  }

  #chunk(choice: object): string {
    const usage = this.#options.includesUsage ? { usage: null } : {};
    return eventFrame({ ...this.#head(), choices: [choice], ...usage });
  }
}

/** One event. Throws what it says went wrong. */
function read(data: string): GoogleAnswer {
  let json: unknown;
  try {
    json = readExactJson(data);
  } catch (cause) {
    throw unreadableGoogleAnswer("an event is not JSON", cause);
  }
  const first: unknown = Array.isArray(json) ? json[0] : json;
  if (typeof first === "object" && first !== null && "error" in first) {
    const { kind, message, code, retryAfterS } = readUpstreamError(undefined, first);
    throw new ApiError(kind, `Google broke off its answer: ${message}`, {
      ...(code === undefined ? {} : { code }),
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
    });
  }
  const result = GoogleAnswer.safeParse(json);
  if (!result.success)
    throw unreadableGoogleAnswer("an event is not what Google's API sends", result.error);
  return result.data;
}

function deltaOf({ text, thought, call, image, signature }: ChatPiece, choice: Choice): object {
  const sign = thoughtSignatureField(signature);
  if (call !== undefined) {
    const index = choice.calls;
    choice.calls += 1;
    return { tool_calls: [{ index, ...call }], ...sign };
  }
  if (thought !== undefined) return { reasoning_content: thought, ...sign };
  if (image !== undefined) return { images: [image], ...sign };
  return text === undefined ? sign : { content: text, ...sign };
}

function isSaying(delta: object): boolean {
  return Object.keys(delta).length > 0;
}
