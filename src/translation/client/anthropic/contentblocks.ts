import type { ToolCallDelta } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import { ToolCallTracker, type TrackedCall } from "../../chat/toolcalls.ts";
import { newId } from "../../ids.ts";
import { anthropicEvent } from "./event.ts";

/** The most characters of blocks that wait; no model writes so long calls side by side. */
const WAITING_CHARS_MAX = 8 * 1024 * 1024;
/** The most blocks in one answer. */
const BLOCKS_MAX = 1024;

type BlockType = "text" | "thinking" | "tool_use";

interface OpenBlock {
  type: BlockType;
  /** The call that it holds, if it is one. */
  call?: TrackedCall;
  /** Its place in the message, once its start has been sent. */
  index?: number;
  /** What has not been sent yet. */
  waiting: string[];
  isFinished: boolean;
}

/**
 * Writes the content blocks of a streamed message, and puts the pieces of tool calls together. A
 * message has one open block at a time, while the deltas of a chat may come mixed: the first
 * unfinished block is sent as it comes, later ones wait. A block is finished
 *
 * 1. when it is text or thinking, as soon as there is another block;
 * 2. when it is a call, as soon as there is another block and its arguments are complete;
 * 3. at the end of the answer, in any case.
 */
export class ContentBlocks {
  /** The unfinished blocks; the first is the one that is sent now. */
  readonly #open: OpenBlock[] = [];
  readonly #tracker = new ToolCallTracker();
  readonly #calls = new Map<TrackedCall, OpenBlock>();
  #started = 0;
  #count = 0;
  #waitingChars = 0;

  /** Whether there was a tool call. */
  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  /** The events for a piece of text or of thinking. */
  addText(type: "text" | "thinking", piece: string): string {
    if (piece === "") return "";
    const last = this.#open.at(-1);
    return this.#add(last?.type === type ? last : this.#newBlock(type), piece);
  }

  /** The events for a piece of a call. Throws `upstream` if the call was complete before. */
  addToolCall(piece: ToolCallDelta): string {
    const call = this.#tracker.add(piece);
    const text = piece.function?.arguments ?? "";
    let block = this.#calls.get(call);
    if (block === undefined) {
      block = this.#newBlock("tool_use", call);
      this.#calls.set(call, block);
    }
    if (block.isFinished && text.trim() !== "") {
      throw brokenStream("went on with a call that was complete");
    }
    return this.#add(block, text);
  }

  /** The events that finish all blocks. Throws `upstream` for a call without a name. */
  finish(): string {
    return this.#send(true);
  }

  #newBlock(type: BlockType, call?: TrackedCall): OpenBlock {
    this.#count += 1;
    if (this.#count > BLOCKS_MAX) throw brokenStream(`has more than ${BLOCKS_MAX} blocks`);
    const block: OpenBlock = { type, waiting: [], isFinished: false, ...(call ? { call } : {}) };
    this.#open.push(block);
    return block;
  }

  #add(block: OpenBlock, piece: string): string {
    if (piece !== "" && !block.isFinished) {
      block.waiting.push(piece);
      this.#waitingChars += piece.length;
    }
    const frames = this.#send(false);
    if (this.#waitingChars > WAITING_CHARS_MAX) throw brokenStream("mixes calls that are too long");
    return frames;
  }

  /** Sends what may be sent now; at the end of the answer, everything. */
  #send(isEnd: boolean): string {
    let frames = "";
    for (let block = this.#open[0]; block !== undefined; block = this.#open[0]) {
      if (block.call?.name === "") {
        if (isEnd) throw brokenStream("calls a tool without naming it");
        break;
      }
      frames += this.#sendBlock(block);
      const isComplete = block.call?.end.isReached ?? true;
      if (!isEnd && !(isComplete && this.#open.length > 1)) break;
      this.#open.shift();
      block.isFinished = true;
      frames += anthropicEvent("content_block_stop", { index: block.index });
    }
    return frames;
  }

  #sendBlock(block: OpenBlock): string {
    let frames = "";
    if (block.index === undefined) {
      block.index = this.#started;
      this.#started += 1;
      const content_block = emptyBlock(block);
      frames += anthropicEvent("content_block_start", { index: block.index, content_block });
    }
    for (const piece of block.waiting) {
      this.#waitingChars -= piece.length;
      const delta = blockDelta(block.type, piece);
      frames += anthropicEvent("content_block_delta", { index: block.index, delta });
    }
    block.waiting = [];
    return frames;
  }
}

function emptyBlock({ type, call }: OpenBlock): object {
  switch (type) {
    case "text":
      return { type, text: "" };
    case "thinking":
      return { type, thinking: "", signature: "" };
    case "tool_use":
      return { type, id: call?.id || newId("toolu_"), name: call?.name, input: {} };
  }
}

function blockDelta(type: BlockType, piece: string): object {
  switch (type) {
    case "text":
      return { type: "text_delta", text: piece };
    case "thinking":
      return { type: "thinking_delta", thinking: piece };
    case "tool_use":
      return { type: "input_json_delta", partial_json: piece };
  }
}

function brokenStream(reason: string): ApiError {
  const message = `The answer broke off: the endpoint's stream ${reason}. Send the request again.`;
  return new ApiError("upstream", message, { code: "invalid_answer" });
}
