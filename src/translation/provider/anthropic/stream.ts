import { unfinishedStream } from "../../../http/proxy/rewrite/streamend.ts";
import { type AnswerBlock, MessagesEvent, type MessagesUsage } from "../../../wire/anthropic.ts";
import { ApiError, errorFrame } from "../../../wire/error.ts";
import { DONE_FRAME, eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { readUpstreamError } from "../../../wire/upstreamerror.ts";
import type { ChatAnswerOptions } from "../../chat/answeroptions.ts";
import { compact } from "../../compact.ts";
import { unreadableAnswer } from "../../errors.ts";
import { EventStreamTranslation } from "../../eventstream.ts";
import { completionId } from "../../ids.ts";
import { unixTimeS } from "../../unixtime.ts";
import { parseAnswer, parseEventData } from "../../validation.ts";
import { signedThinkingBlock } from "./signedthinking.ts";
import { finishReasonFromAnthropic } from "./stopreason.ts";
import { chatUsageFromAnthropic } from "./usage.ts";

/**
 * The streamed chat completion for a streamed message of Anthropic's. It is finished (`[DONE]`)
 * only by `message_stop`; any other stream ends with an error. Events of unknown types are ignored,
 * as Anthropic asks of its clients.
 */
export class ChatStreamFromAnthropic extends EventStreamTranslation {
  readonly #options: ChatAnswerOptions;
  readonly #createdS = unixTimeS();
  #id: string | undefined;
  #usage: MessagesUsage = {};
  #finishReason: object | undefined;
  /** The open content block, with what has come of it. */
  #block: AnswerBlock | undefined;
  #callCount = 0;
  #argumentsChars = 0;

  constructor(options: ChatAnswerOptions) {
    super();
    this.#options = options;
  }

  protected override read(serverEvent: ServerEvent): string {
    const event = parseMessagesEvent(serverEvent);
    switch (event.type) {
      case "message_start":
        this.#id = completionId(event.message?.id ?? "");
        this.#noteUsage(event.message?.usage);
        return this.#delta({ role: "assistant", content: "" });
      case "content_block_start":
        return this.#startBlock(event.content_block);
      case "content_block_delta":
        return this.#readDelta(event.delta ?? {});
      case "content_block_stop":
        return this.#stopBlock();
      case "message_delta": {
        const { stop_reason, stop_sequence } = event.delta ?? {};
        this.#noteUsage(event.usage);
        this.#finishReason = finishReasonFromAnthropic(stop_reason, stop_sequence);
        return "";
      }
      case "message_stop":
        return this.#finish();
      default:
        return "";
    }
  }

  protected override readEnd(): string {
    throw unfinishedStream();
  }

  protected override errorText(error: ApiError): string {
    return errorFrame(error, "openai");
  }

  #startBlock(block: AnswerBlock | undefined): string {
    this.#block = block === undefined ? undefined : { ...block };
    if (block?.type === "text") return this.#textDelta("content", block.text);
    if (block?.type === "thinking") return this.#textDelta("reasoning_content", block.thinking);
    if (block?.type !== "tool_use") return "";
    const { id, name } = block;
    if (id === undefined || name === undefined) {
      throw unreadableAnswer("a `tool_use` has no id or name");
    }
    this.#argumentsChars = 0;
    this.#callCount += 1;
    return this.#callDelta({ id, type: "function", function: { name, arguments: "" } });
  }

  #readDelta(delta: Partial<NonNullable<MessagesEvent["delta"]>>): string {
    const block = this.#block;
    switch (delta.type) {
      case "text_delta":
        return this.#textDelta("content", delta.text);
      case "thinking_delta":
        if (block !== undefined) block.thinking = (block.thinking ?? "") + (delta.thinking ?? "");
        return this.#textDelta("reasoning_content", delta.thinking);
      case "signature_delta":
        if (block !== undefined) block.signature = delta.signature;
        return "";
      case "input_json_delta": {
        const text = delta.partial_json ?? "";
        this.#argumentsChars += text.length;
        return text === "" ? "" : this.#callDelta({ function: { arguments: text } });
      }
      default:
        return "";
    }
  }

  #stopBlock(): string {
    const block = this.#block;
    this.#block = undefined;
    if (block?.type === "tool_use" && this.#argumentsChars === 0) {
      return this.#callDelta({ function: { arguments: JSON.stringify(block.input ?? {}) } });
    }
    const thinking = block === undefined ? undefined : signedThinkingBlock(block);
    return thinking === undefined ? "" : this.#delta({ thinking_blocks: [thinking] });
  }

  #finish(): string {
    if (this.#finishReason === undefined) throw unfinishedStream();
    const last = this.#chunk([{ index: 0, delta: {}, logprobs: null, ...this.#finishReason }]);
    this.close();
    if (!this.#options.includesUsage) return last + DONE_FRAME;
    return last + this.#chunk([], chatUsageFromAnthropic(this.#usage)) + DONE_FRAME;
  }

  /** Anthropic reports token counts at the start and again, in full, at the end. */
  #noteUsage(usage: MessagesUsage | null | undefined): void {
    this.#usage = { ...this.#usage, ...compact(usage ?? {}) };
  }

  #textDelta(field: "content" | "reasoning_content", text: string | undefined): string {
    return text ? this.#delta({ [field]: text }) : "";
  }

  #callDelta(call: object): string {
    return this.#delta({ tool_calls: [{ index: this.#callCount - 1, ...call }] });
  }

  #delta(delta: object): string {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  }

  #chunk(choices: object[], usage: object | null = null): string {
    if (this.#id === undefined) {
      throw unreadableAnswer("its stream does not begin with `message_start`");
    }
    return eventFrame({
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#createdS,
      model: this.#options.model,
      choices,
      ...(this.#options.includesUsage ? { usage } : {}),
    });
  }
}

/** Parses an event. An event that reports an error is thrown as that error. */
function parseMessagesEvent({ event, data }: ServerEvent): MessagesEvent {
  const json = parseEventData(data);
  const isError =
    typeof json === "object" && json !== null && Reflect.get(json, "type") === "error";
  if (!isError && event !== "error") return parseAnswer(MessagesEvent, json);
  const { kind, message } = readUpstreamError(undefined, json);
  const text = `The answer broke off: the endpoint reports an error: ${message}`;
  throw new ApiError(kind, text, { code: "stream_error" });
}
