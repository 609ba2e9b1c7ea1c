import { unfinishedStream } from "../../../http/proxy/rewrite/streamend.ts";
import type { ChatChunk, ChatUsage } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ServerEvent } from "../../../wire/sse.ts";
import { parseChatChunk } from "../../chat/chunk.ts";
import { reasoningText } from "../../chat/reasoning.ts";
import { EventStreamTranslation } from "../../eventstream.ts";
import { messageId } from "../../ids.ts";
import type { AnthropicAnswerOptions } from "./answeroptions.ts";
import { ContentBlocks } from "./contentblocks.ts";
import { anthropicEvent } from "./event.ts";
import { anthropicStopReason } from "./stopreason.ts";
import { anthropicUsageFromChat } from "./usage.ts";

/**
 * Anthropic's streamed message for a streamed chat completion. It is finished (`message_stop`) only
 * if the chat was: by `[DONE]`, or by a finish reason and the end of the stream. Any other stream
 * ends with an `error` event.
 */
export class AnthropicStreamFromChat extends EventStreamTranslation {
  readonly ping = anthropicEvent("ping", {});
  readonly #options: AnthropicAnswerOptions;
  readonly #blocks = new ContentBlocks();
  #hasStarted = false;
  /** The choice with the finish reason. */
  #lastChoice: ChatChunk["choices"][number] | undefined;
  #usage: ChatUsage | undefined;

  constructor(options: AnthropicAnswerOptions) {
    super();
    this.#options = options;
  }

  protected override read(event: ServerEvent): string {
    const chunk = parseChatChunk(event);
    return chunk === "done" ? this.#finish() : this.#readChunk(chunk);
  }

  protected override readEnd(): string {
    if (this.#lastChoice === undefined) throw unfinishedStream();
    return this.#finish();
  }

  protected override errorText(error: ApiError): string {
    return errorFrame(error, "anthropic");
  }

  #readChunk(chunk: ChatChunk): string {
    if (chunk.usage != null) this.#usage = chunk.usage;
    let frames = this.#hasStarted ? "" : this.#start(chunk);
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (choice === undefined) return frames;
    const { delta } = choice;
    frames += this.#blocks.addText("thinking", reasoningText(delta));
    frames += this.#blocks.addText("text", `${delta.content ?? ""}${delta.refusal ?? ""}`);
    for (const call of delta.tool_calls ?? []) frames += this.#blocks.addToolCall(call);
    // Blocks end with the stream: some servers write the reason into every chunk.
    if (choice.finish_reason != null) this.#lastChoice = choice;
    return frames;
  }

  #start({ id, usage }: ChatChunk): string {
    this.#hasStarted = true;
    const message = {
      id: messageId(id),
      type: "message",
      role: "assistant",
      model: this.#options.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: anthropicUsageFromChat(usage),
    };
    return anthropicEvent("message_start", { message });
  }

  #finish(): string {
    if (!this.#hasStarted) throw unfinishedStream();
    const blocks = this.#blocks.finish();
    const { hasCalls } = this.#blocks;
    const { stopSequences } = this.#options;
    const delta = anthropicStopReason({ choice: this.#lastChoice ?? {}, hasCalls, stopSequences });
    const usage = anthropicUsageFromChat(this.#usage);
    this.close();
    return (
      blocks +
      anthropicEvent("message_delta", { delta, usage }) +
      anthropicEvent("message_stop", {})
    );
  }
}
