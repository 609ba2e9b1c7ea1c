import { readExactJson } from "../../../lib/json.ts";
import { ApiError, errorFrame } from "../../../wire/error.ts";
import { GoogleAnswer, type GoogleCandidate, type GoogleUsage } from "../../../wire/google.ts";
import { DONE_FRAME, eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { readUpstreamError } from "../../../wire/upstreamerror.ts";
import type { ChatAnswerOptions } from "../../chat/answeroptions.ts";
import { EventStreamTranslation } from "../../eventstream.ts";
import { completionId } from "../../ids.ts";
import { unixTimeS } from "../../unixtime.ts";
import { blockedPromptMessage, type MessagePiece, messagePieceFromGoogle } from "./answerparts.ts";
import { unreadableGoogleAnswer } from "./errors.ts";
import { chatLogprobsFromGoogle } from "./logprobs.ts";
import { finishReasonFromGoogle } from "./stopreason.ts";
import { thoughtSignatureField } from "./thoughtsignature.ts";
import { chatUsageFromGoogle } from "./usage.ts";

/** The state of one choice, which is one of Google's candidates. */
interface ChoiceState {
  callCount: number;
  hasStarted: boolean;
  isFinished: boolean;
}

/**
 * The streamed chat completion for a stream of Google's, of which each event is an answer that
 * holds what is new. Google sends no last event: the stream is complete if each candidate had a
 * finish reason.
 */
export class ChatStreamFromGoogle extends EventStreamTranslation {
  readonly #options: ChatAnswerOptions;
  readonly #createdS = unixTimeS();
  readonly #choices = new Map<number, ChoiceState>();
  #id: string | undefined;
  #usage: GoogleUsage | undefined;

  constructor(options: ChatAnswerOptions) {
    super();
    this.#options = options;
  }

  protected override read({ data }: ServerEvent): string {
    const { candidates, promptFeedback, usageMetadata, responseId } = parseGoogleEvent(data);
    this.#id ??= completionId(responseId);
    if (usageMetadata) this.#usage = usageMetadata;
    const blockReason = promptFeedback?.blockReason;
    if (candidates.length === 0 && blockReason !== undefined) {
      this.#choices.set(0, { callCount: 0, hasStarted: true, isFinished: true });
      const delta = blockedPromptMessage(blockReason);
      const message = this.#chunk({ index: 0, delta, finish_reason: null });
      return message + this.#chunk({ index: 0, delta: {}, finish_reason: "content_filter" });
    }
    return candidates.map((candidate) => this.#readCandidate(candidate)).join("");
  }

  protected override readEnd(): string {
    const choices = [...this.#choices.values()];
    if (choices.length === 0 || choices.some(({ isFinished }) => !isFinished)) {
      throw unreadableGoogleAnswer("it broke off before its end");
    }
    this.close();
    const usage = this.#usage;
    if (!this.#options.includesUsage || usage === undefined) return DONE_FRAME;
    const head = { ...this.#head(), choices: [], usage: chatUsageFromGoogle(usage) };
    return eventFrame(head) + DONE_FRAME;
  }

  protected override errorText(error: ApiError): string {
    return errorFrame(error, "openai");
  }

  #readCandidate(candidate: GoogleCandidate): string {
    const { index, content, finishReason, logprobsResult } = candidate;
    const choice = this.#choice(index);
    if (choice.isFinished) return "";
    const deltas = content
      .map((part) => chatDelta(messagePieceFromGoogle(part), choice))
      .filter((delta) => Object.keys(delta).length > 0);
    const isLast = typeof finishReason === "string" && finishReason !== "";
    const finish_reason = isLast ? finishReasonFromGoogle(candidate, choice.callCount > 0) : null;
    const logprobs = logprobsResult ? { logprobs: chatLogprobsFromGoogle(logprobsResult) } : {};
    const chunks = deltas.map((delta, i) => {
      const role = choice.hasStarted ? {} : { role: "assistant" };
      choice.hasStarted = true;
      const more = i === 0 ? logprobs : {};
      return this.#chunk({ index, delta: { ...role, ...delta }, finish_reason: null, ...more });
    });
    if (!isLast) return chunks.join("");
    const delta = choice.hasStarted ? {} : { role: "assistant", content: "" };
    choice.hasStarted = true;
    choice.isFinished = true;
    const more = chunks.length === 0 ? logprobs : {};
    return chunks.join("") + this.#chunk({ index, delta, finish_reason, ...more });
  }

  #choice(index: number): ChoiceState {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const choice = { callCount: 0, hasStarted: false, isFinished: false };
    this.#choices.set(index, choice);
    return choice;
  }

  #head() {
    const { model } = this.#options;
    const object = "chat.completion.chunk";
    return { id: this.#id ?? completionId(), object, created: this.#createdS, model };
  }

  #chunk(choice: object): string {
    const usage = this.#options.includesUsage ? { usage: null } : {};
    return eventFrame({ ...this.#head(), choices: [choice], ...usage });
  }
}

/** Parses an event. An event that reports an error is thrown as that error. */
function parseGoogleEvent(data: string): GoogleAnswer {
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
  if (!result.success) {
    throw unreadableGoogleAnswer("an event is not what Google's API sends", result.error);
  }
  return result.data;
}

/** The delta for a piece; a call in it gets the choice's next index. */
function chatDelta(piece: MessagePiece, choice: ChoiceState): object {
  const { text, reasoning, call, image, signature } = piece;
  const signed = thoughtSignatureField(signature);
  if (call !== undefined) {
    const index = choice.callCount;
    choice.callCount += 1;
    return { tool_calls: [{ index, ...call }], ...signed };
  }
  if (reasoning !== undefined) return { reasoning_content: reasoning, ...signed };
  if (image !== undefined) return { images: [image], ...signed };
  return text === undefined ? signed : { content: text, ...signed };
}
