import type { ChatChunk, ChatUsage } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ServerEvent } from "../../../wire/sse.ts";
import { parseChatChunk, reasoningText, streamError, unfinishedStream } from "../../chat/chunk.ts";
import { messageId } from "../../ids.ts";
import type { StreamTranslation } from "../../translation.ts";
import type { AnthropicAnswerOptions } from "./answer.ts";
import { anthropicEvent, ContentBlocks } from "./contentblocks.ts";
import { anthropicStopReason, anthropicUsageFromChat } from "./stopreason.ts";

type Choice = ChatChunk["choices"][number];

/**
 * The streamed message for a streamed chat completion. It is finished (`message_stop`) only if the
 * chat was: by `[DONE]`, or by a finish reason and the end of the stream. All else ends with an
 * `error` event.
 */
export class AnthropicStreamFromChat implements StreamTranslation {
  readonly #blocks = new ContentBlocks();
  readonly #asked: AnthropicAnswerOptions;
  #state: "new" | "running" | "over" = "new";
  #last: Choice | undefined;
  #usage: ChatUsage | undefined;

  constructor(asked: AnthropicAnswerOptions) {
    this.#asked = asked;
  }

  push(given: ServerEvent): string {
    return this.#guarded(() => {
      const chunk = parseChatChunk(given);
      return chunk === "done" ? this.#finish() : this.#read(chunk);
    });
  }

  end(): string {
    return this.#guarded(() => {
      if (this.#last === undefined) throw unfinishedStream();
      return this.#finish();
    });
  }

  fail(error: ApiError): string {
    return this.#guarded(() => {
      throw error;
    });
  }

  #guarded(step: () => string): string {
    if (this.#state === "over") return "";
    try {
      return step();
    } catch (thrown) {
      this.#state = "over";
      return errorFrame(streamError(thrown), "anthropic");
    }
  }

  #read(chunk: ChatChunk): string {
    if (chunk.usage != null) this.#usage = chunk.usage;
    let frames = this.#state === "new" ? this.#start(chunk) : "";
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (choice === undefined) return frames;
    const { delta } = choice;
    frames += this.#blocks.text("thinking", reasoningText(delta));
    frames += this.#blocks.text("text", `${delta.content ?? ""}${delta.refusal ?? ""}`);
    for (const piece of delta.tool_calls ?? []) frames += this.#blocks.call(piece);
    if (choice.finish_reason == null) return frames;
    this.#last = choice;
    return frames + this.#blocks.finish();
  }

  #start({ id, usage }: ChatChunk): string {
    this.#state = "running";
    const message = {
      id: messageId(id),
      type: "message",
      role: "assistant",
      model: this.#asked.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: anthropicUsageFromChat(usage),
    };
    return anthropicEvent("message_start", { message });
  }

  #finish(): string {
    if (this.#state === "new") throw unfinishedStream();
    const blocks = this.#blocks.finish();
    const { hasCalls } = this.#blocks;
    const { stopSequences } = this.#asked;
    const delta = anthropicStopReason({ choice: this.#last ?? {}, hasCalls, stopSequences });
    const usage = anthropicUsageFromChat(this.#usage);
    this.#state = "over";
    return (
      blocks +
      anthropicEvent("message_delta", { delta, usage }) +
      anthropicEvent("message_stop", {})
    );
  }
}
