import type { ToolCallDelta } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import type {
  OutputFunctionCall,
  OutputItem,
  OutputMessage,
  OutputReasoning,
  RefusalContent,
  TextContent,
} from "../../../wire/responses.ts";
import { ToolCallTracker, type TrackedCall } from "../../chat/toolcalls.ts";
import { newId } from "../../ids.ts";

/** An event of a response's stream, without its sequence number. */
export interface ResponsesEvent {
  type: string;
  [field: string]: unknown;
}

/** The most characters of one answer, far more than any model writes. */
const CHARS_MAX = 32 * 1024 * 1024;
/** What an item counts besides its text. */
const ITEM_CHARS = 256;

interface OpenItem<T extends OutputItem> {
  item: T;
  index: number;
}

/**
 * The output items of a response as they grow, with the pieces of tool calls put together. Items of
 * reasoning and text follow each other: one ends when the next begins. Calls stay open until the
 * end, because their pieces may come mixed. Every change is written as an event at once. Throws
 * `upstream` for an answer of more than 32 Mi characters.
 */
export class OutputItems {
  readonly items: OutputItem[] = [];
  readonly #write: (event: ResponsesEvent) => void;
  #reasoning: OpenItem<OutputReasoning> | undefined;
  #message: OpenItem<OutputMessage> | undefined;
  readonly #tracker = new ToolCallTracker();
  readonly #calls = new Map<TrackedCall, OpenItem<OutputFunctionCall>>();
  /** Arguments of calls that have no name yet. */
  readonly #waiting = new Map<TrackedCall, string>();
  readonly #openCalls: OpenItem<OutputFunctionCall>[] = [];
  #chars = 0;

  constructor(write: (event: ResponsesEvent) => void) {
    this.#write = write;
  }

  addReasoning(text: string): void {
    if (text === "") return;
    this.#endMessage("completed");
    this.#count(text.length);
    this.#reasoning ??= this.#openReasoning();
    const reasoning = this.#reasoning;
    const part = reasoning.item.content[0];
    if (part !== undefined) part.text += text;
    this.#writePart(reasoning, "response.reasoning_text.delta", { content_index: 0, delta: text });
  }

  addText(text: string, logprobs: readonly unknown[] = []): void {
    if (text === "") return;
    this.#endReasoning("completed");
    this.#count(text.length + logprobs.length * ITEM_CHARS);
    this.#message ??= this.#openMessage();
    const message = this.#message;
    const part = this.#textPart(message);
    part.text += text;
    part.logprobs.push(...logprobs);
    this.#writePart(message, "response.output_text.delta", {
      ...{ content_index: message.item.content.length - 1, delta: text, logprobs },
    });
  }

  addRefusal(text: string): void {
    if (text === "") return;
    this.#endReasoning("completed");
    this.#count(text.length);
    this.#message ??= this.#openMessage();
    const message = this.#message;
    const part = this.#refusalPart(message);
    part.refusal += text;
    const content_index = message.item.content.length - 1;
    this.#writePart(message, "response.refusal.delta", { content_index, delta: text });
  }

  /** Adds a piece of a call. What comes before the call's name waits for it. */
  addToolCall(piece: ToolCallDelta): void {
    this.#endReasoning("completed");
    this.#endMessage("completed");
    const call = this.#tracker.add(piece);
    const args = (this.#waiting.get(call) ?? "") + (piece.function?.arguments ?? "");
    this.#count(piece.function?.arguments.length ?? 0);
    if (call.name === "") {
      if (!this.#waiting.has(call)) this.#count(ITEM_CHARS);
      this.#waiting.set(call, args);
    } else this.#writeCall(call, args);
  }

  /** Ends what is open; `incomplete` if it was cut off. There is always at least one item. */
  close(status: "completed" | "incomplete"): void {
    for (const [call, args] of this.#waiting) this.#writeCall(call, args);
    if (this.items.length === 0) {
      this.#message = this.#openMessage();
      this.#textPart(this.#message);
    }
    this.#endReasoning(status);
    this.#endMessage(status);
    for (const call of this.#openCalls.splice(0)) {
      this.#writePart(call, "response.function_call_arguments.done", {
        ...{ name: call.item.name, arguments: call.item.arguments },
      });
      this.#end(call, this.#openCalls.length === 0 ? status : "completed");
    }
  }

  #writeCall(tracked: TrackedCall, args: string): void {
    this.#waiting.delete(tracked);
    const call = this.#calls.get(tracked) ?? this.#openCall(tracked);
    this.#calls.set(tracked, call);
    if (args === "") return;
    call.item.arguments += args;
    this.#writePart(call, "response.function_call_arguments.delta", { delta: args });
  }

  #openReasoning(): OpenItem<OutputReasoning> {
    const id = newId("rs_");
    const item: OutputReasoning = {
      ...{ id, type: "reasoning", status: "in_progress", summary: [], content: [] },
    };
    const open = this.#open(item);
    item.content.push({ type: "reasoning_text", text: "" });
    this.#writePart(open, "response.content_part.added", {
      content_index: 0,
      part: item.content[0],
    });
    return open;
  }

  #openMessage(): OpenItem<OutputMessage> {
    const id = newId("msg_");
    return this.#open<OutputMessage>({
      ...{ id, type: "message", status: "in_progress", role: "assistant", content: [] },
    });
  }

  #openCall({ id: givenId, name }: TrackedCall): OpenItem<OutputFunctionCall> {
    const id = newId("fc_");
    const call_id = givenId || newId("call_");
    const open = this.#open<OutputFunctionCall>({
      ...{ id, type: "function_call", status: "in_progress", call_id, name, arguments: "" },
    });
    this.#openCalls.push(open);
    return open;
  }

  #open<T extends OutputItem>(item: T): OpenItem<T> {
    this.#count(ITEM_CHARS);
    const index = this.items.push(item) - 1;
    this.#write({ type: "response.output_item.added", output_index: index, item });
    return { item, index };
  }

  #textPart(message: OpenItem<OutputMessage>): TextContent {
    const last = message.item.content.at(-1);
    if (last?.type === "output_text") return last;
    const part: TextContent = { type: "output_text", text: "", annotations: [], logprobs: [] };
    this.#openPart(message, part);
    return part;
  }

  #refusalPart(message: OpenItem<OutputMessage>): RefusalContent {
    const last = message.item.content.at(-1);
    if (last?.type === "refusal") return last;
    const part: RefusalContent = { type: "refusal", refusal: "" };
    this.#openPart(message, part);
    return part;
  }

  #openPart(message: OpenItem<OutputMessage>, part: TextContent | RefusalContent): void {
    this.#endPart(message);
    this.#count(ITEM_CHARS);
    const content_index = message.item.content.push(part) - 1;
    this.#writePart(message, "response.content_part.added", { content_index, part });
  }

  #endPart(message: OpenItem<OutputMessage>): void {
    const part = message.item.content.at(-1);
    if (part === undefined) return;
    const content_index = message.item.content.length - 1;
    if (part.type === "output_text") {
      const { text, logprobs } = part;
      this.#writePart(message, "response.output_text.done", { content_index, text, logprobs });
    } else {
      const { refusal } = part;
      this.#writePart(message, "response.refusal.done", { content_index, refusal });
    }
    this.#writePart(message, "response.content_part.done", { content_index, part });
  }

  #endReasoning(status: "completed" | "incomplete"): void {
    const reasoning = this.#reasoning;
    if (reasoning === undefined) return;
    this.#reasoning = undefined;
    const part = reasoning.item.content[0];
    const text = part?.text ?? "";
    this.#writePart(reasoning, "response.reasoning_text.done", { content_index: 0, text });
    this.#writePart(reasoning, "response.content_part.done", { content_index: 0, part });
    this.#end(reasoning, status);
  }

  #endMessage(status: "completed" | "incomplete"): void {
    const message = this.#message;
    if (message === undefined) return;
    this.#message = undefined;
    this.#endPart(message);
    this.#end(message, status);
  }

  #end({ item, index }: OpenItem<OutputItem>, status: "completed" | "incomplete"): void {
    item.status = status;
    this.#write({ type: "response.output_item.done", output_index: index, item });
  }

  #writePart({ item, index }: OpenItem<OutputItem>, type: string, fields: object): void {
    this.#write({ type, item_id: item.id, output_index: index, ...fields });
  }

  #count(chars: number): void {
    this.#chars += chars;
    if (this.#chars <= CHARS_MAX) return;
    const message = `The answer broke off: it is longer than ${CHARS_MAX} characters.`;
    throw new ApiError("upstream", message, { code: "answer_too_large" });
  }
}
