import { ApiError } from "../../../wire/error.ts";
import { eventFrame } from "../../../wire/sse.ts";
import { type CallPiece, ToolCallTracker, type TrackedCall } from "../../chat/toolcalls.ts";
import { newId } from "../../ids.ts";

/** What may wait for its turn; no model writes calls of this length at once. */
const WAITING_CHARS_MAX = 8 * 1024 * 1024;
/** Calls in one answer. */
const BLOCKS_MAX = 1024;

type Kind = "text" | "thinking" | "tool_use";

interface Block {
  kind: Kind;
  /** What is known of it, if it is one. */
  call?: TrackedCall;
  /** Its place in the message, once it has been opened. */
  index?: number;
  waiting: string[];
  done: boolean;
}

/**
 * The content blocks of a streamed message. A message has one block at a time, while the pieces of
 * a chat may come mixed: the first unfinished block is sent as it comes, later ones wait. A block
 * makes room for the next one
 *
 * 1. when it is text or thinking, as soon as there is another block;
 * 2. when it is a call, as soon as there is another block and its arguments are complete;
 * 3. at the end of the answer, in any case.
 */
export class ContentBlocks {
  /** Those that are not finished; the first is the one being sent. */
  readonly #open: Block[] = [];
  readonly #tracker = new ToolCallTracker();
  readonly #calls = new Map<TrackedCall, Block>();
  #opened = 0;
  #made = 0;
  #waitingChars = 0;

  /** Whether there was a call. */
  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  /** Frames for a piece of text or of thoughts. */
  text(kind: "text" | "thinking", piece: string): string {
    if (piece === "") return "";
    const last = this.#open.at(-1);
    return this.#add(last?.kind === kind ? last : this.#make(kind), piece);
  }

  /** Frames for a piece of a call. Throws `upstream` if the call was complete before. */
  call(piece: CallPiece): string {
    const call = this.#tracker.add(piece);
    const text = piece.function?.arguments ?? "";
    let block = this.#calls.get(call);
    if (block === undefined) {
      block = this.#make("tool_use", call);
      this.#calls.set(call, block);
    }
    if (block.done && text.trim() !== "") {
      throw broken("went on with a call that was complete");
    }
    return this.#add(block, text);
  }

  /** Frames that finish all blocks. Throws `upstream` for a call without a name. */
  finish(): string {
    return this.#settle(true);
  }

  #make(kind: Kind, call?: TrackedCall): Block {
    this.#made += 1;
    if (this.#made > BLOCKS_MAX) throw broken(`has more than ${BLOCKS_MAX} blocks`);
    const block: Block = { kind, waiting: [], done: false, ...(call ? { call } : {}) };
    this.#open.push(block);
    return block;
  }

  #add(block: Block, piece: string): string {
    if (piece !== "" && !block.done) {
      block.waiting.push(piece);
      this.#waitingChars += piece.length;
    }
    const frames = this.#settle(false);
    if (this.#waitingChars > WAITING_CHARS_MAX) throw broken("mixes calls that are too long");
    return frames;
  }

  #settle(all: boolean): string {
    let frames = "";
    for (let block = this.#open[0]; block !== undefined; block = this.#open[0]) {
      if (block.call?.name === "") {
        if (all) throw broken("calls a tool without naming it");
        break;
      }
      frames += this.#send(block);
      const complete = block.call?.end.closed ?? true;
      if (!all && !(complete && this.#open.length > 1)) break;
      this.#open.shift();
      block.done = true;
      frames += anthropicEvent("content_block_stop", { index: block.index });
    }
    return frames;
  }

  #send(block: Block): string {
    let frames = "";
    if (block.index === undefined) {
      block.index = this.#opened;
      this.#opened += 1;
      const content_block = beginning(block);
      frames += anthropicEvent("content_block_start", { index: block.index, content_block });
    }
    for (const piece of block.waiting) {
      this.#waitingChars -= piece.length;
      const delta = deltaOf(block.kind, piece);
      frames += anthropicEvent("content_block_delta", { index: block.index, delta });
    }
    block.waiting = [];
    return frames;
  }
}

function beginning({ kind, call }: Block): object {
  switch (kind) {
    case "text":
      return { type: kind, text: "" };
    case "thinking":
      return { type: kind, thinking: "", signature: "" };
    case "tool_use":
      return { type: kind, id: call?.id || newId("toolu_"), name: call?.name, input: {} };
  }
}

function deltaOf(kind: Kind, piece: string): object {
  switch (kind) {
    case "text":
      return { type: "text_delta", text: piece };
    case "thinking":
      return { type: "thinking_delta", thinking: piece };
    case "tool_use":
      return { type: "input_json_delta", partial_json: piece };
  }
}

/** An event of a streamed message: its type is also the event's name. */
export function anthropicEvent(type: string, fields: object): string {
  return eventFrame({ type, ...fields }, type);
}

function broken(reason: string): ApiError {
  const message = `The answer broke off: the endpoint's stream ${reason}. Send the request again.`;
  return new ApiError("upstream", message, { code: "invalid_answer" });
}
