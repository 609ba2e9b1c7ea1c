import { type AnswerBlock, MessagesEvent, type MessagesUsage } from "../../../wire/anthropic.ts";
import { ApiError, errorFrame } from "../../../wire/error.ts";
import { DONE_FRAME, eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { readUpstreamError } from "../../../wire/upstreamerror.ts";
import { parseEventData, streamError, unfinishedStream } from "../../chat/chunk.ts";
import { completionId, unixTimeS } from "../../ids.ts";
import type { StreamTranslation } from "../../translation.ts";
import { compact, parseAnswer, unreadableAnswer } from "../../validation.ts";
import type { ChatAnswerOptions } from "./answer.ts";
import { signedThinkingBlock } from "./answer.ts";
import { chatUsageFromAnthropic, finishReasonFromAnthropic } from "./stopreason.ts";

/**
 * The streamed chat completion for a streamed message. It is finished (`[DONE]`) only by
 * `message_stop`; all else ends with an error. Events of unknown types are passed over, as
 * Anthropic asks of its clients.
 */
export class ChatStreamFromAnthropic implements StreamTranslation {
  readonly #asked: ChatAnswerOptions;
  readonly #created = unixTimeS();
  #id: string | undefined;
  #over = false;
  #usage: MessagesUsage = {};
  #ending: object | undefined;
  /** The block that is being told, as far as it is known. */
  #block: AnswerBlock | undefined;
  #calls = 0;
  #argumentsChars = 0;

  constructor(asked: ChatAnswerOptions) {
    this.#asked = asked;
  }

  push(given: ServerEvent): string {
    return this.#guarded(() => this.#read(eventOf(given)));
  }

  end(): string {
    return this.#guarded(() => {
      throw unfinishedStream();
    });
  }

  fail(error: ApiError): string {
    return this.#guarded(() => {
      throw error;
    });
  }

  #guarded(step: () => string): string {
    if (this.#over) return "";
    try {
      return step();
    } catch (thrown) {
      this.#over = true;
      return errorFrame(streamError(thrown), "openai");
    }
  }

  #read(event: MessagesEvent): string {
    switch (event.type) {
      case "message_start":
        this.#id = completionId(event.message?.id ?? "");
        this.#count(event.message?.usage);
        return this.#delta({ role: "assistant", content: "" });
      case "content_block_start":
        return this.#start(event.content_block);
      case "content_block_delta":
        return this.#more(event.delta ?? {});
      case "content_block_stop":
        return this.#stop();
      case "message_delta":
        this.#count(event.usage);
        this.#ending = finishReasonFromAnthropic(
          event.delta?.stop_reason,
          event.delta?.stop_sequence,
        );
        return "";
      case "message_stop":
        return this.#finish();
      default:
        return "";
    }
  }

  #start(block: AnswerBlock | undefined): string {
    this.#block = block === undefined ? undefined : { ...block };
    if (block?.type === "text") return this.#text("content", block.text);
    if (block?.type === "thinking") return this.#text("reasoning_content", block.thinking);
    if (block?.type !== "tool_use") return "";
    if (block.id === undefined || block.name === undefined) {
      throw unreadableAnswer("a `tool_use` has no id or name");
    }
    this.#argumentsChars = 0;
    this.#calls += 1;
    const called = { name: block.name, arguments: "" };
    return this.#call({ id: block.id, type: "function", function: called });
  }

  #more(delta: Partial<NonNullable<MessagesEvent["delta"]>>): string {
    const block = this.#block;
    switch (delta.type) {
      case "text_delta":
        return this.#text("content", delta.text);
      case "thinking_delta":
        if (block !== undefined) block.thinking = (block.thinking ?? "") + (delta.thinking ?? "");
        return this.#text("reasoning_content", delta.thinking);
      case "signature_delta":
        if (block !== undefined) block.signature = delta.signature;
        return "";
      case "input_json_delta": {
        const text = delta.partial_json ?? "";
        this.#argumentsChars += text.length;
        return text === "" ? "" : this.#call({ function: { arguments: text } });
      }
      default:
        return "";
    }
  }

  #stop(): string {
    const block = this.#block;
    this.#block = undefined;
    if (block?.type === "tool_use" && this.#argumentsChars === 0) {
      return this.#call({ function: { arguments: JSON.stringify(block.input ?? {}) } });
    }
    const thought = block === undefined ? undefined : signedThinkingBlock(block);
    return thought === undefined ? "" : this.#delta({ thinking_blocks: [thought] });
  }

  #finish(): string {
    if (this.#ending === undefined) throw unfinishedStream();
    this.#over = true;
    const last = this.#chunk([{ index: 0, delta: {}, logprobs: null, ...this.#ending }]);
    if (!this.#asked.includesUsage) return last + DONE_FRAME;
    return last + this.#chunk([], chatUsageFromAnthropic(this.#usage)) + DONE_FRAME;
  }

  /** Counts are told at the start, and again, in full, at the end. */
  #count(usage: MessagesUsage | null | undefined): void {
    this.#usage = { ...this.#usage, ...compact(usage ?? {}) };
  }

  #text(field: "content" | "reasoning_content", text: string | undefined): string {
    return text ? this.#delta({ [field]: text }) : "";
  }

  #call(call: object): string {
    return this.#delta({ tool_calls: [{ index: this.#calls - 1, ...call }] });
  }

  #delta(delta: object): string {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  }

  #chunk(choices: object[], usage: object | null = null): string {
    if (this.#id === undefined)
      throw unreadableAnswer("its stream does not begin with `message_start`");
    return eventFrame({
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#created,
      model: this.#asked.model,
      choices,
      ...(this.#asked.includesUsage ? { usage } : {}),
    });
  }
}

/** Throws the error that an event tells of. */
function eventOf({ event, data }: ServerEvent): MessagesEvent {
  const json = parseEventData(data);
  const isError =
    typeof json === "object" && json !== null && Reflect.get(json, "type") === "error";
  if (!isError && event !== "error") return parseAnswer(MessagesEvent, json);
  const { kind, message } = readUpstreamError(undefined, json);
  const text = `The answer broke off: the endpoint reports an error: ${message}`;
  throw new ApiError(kind, text, { code: "stream_error" });
}
