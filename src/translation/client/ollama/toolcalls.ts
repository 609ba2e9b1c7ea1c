import { ApiError } from "../../../wire/error.ts";
import { parseToolArguments } from "../../chat/chunk.ts";
import { type CallPiece, ToolCallTracker } from "../../chat/toolcalls.ts";
import { unreadableArguments } from "../../validation.ts";

/** Far more than any model writes. */
const CHARS_MAX = 32 * 1024 * 1024;

/** Puts calls together out of their pieces: Ollama tells each of them whole. */
export class ToolCallAssembler {
  readonly #tracker = new ToolCallTracker();
  /** The arguments of each call. */
  readonly #texts: string[] = [];
  #chars = 0;

  /** Adds a piece. Throws `upstream` when all together get beyond 32 Mi characters. */
  add(piece: CallPiece): void {
    const { number } = this.#tracker.add(piece);
    const args = piece.function?.arguments ?? "";
    const before = this.#texts[number];
    this.#texts[number] = (before ?? "") + args;
    this.#chars += args.length + (before === undefined ? 256 : 0);
    if (this.#chars <= CHARS_MAX) return;
    const message = `The answer broke off: its calls are longer than ${CHARS_MAX} characters.`;
    throw new ApiError("upstream", message, { code: "answer_too_large" });
  }

  /**
   * All calls as Ollama writes them; without one that the limit cut (`finish` tells). Throws
   * `tool_call_failed` for arguments that are no object.
   */
  take(finish: string | null | undefined): object[] {
    return this.#tracker.calls.flatMap(({ id, name }, index) => {
      const args = parseToolArguments(this.#texts[index] ?? "");
      if (args === undefined && finish === "length") return [];
      if (args === undefined) throw unreadableArguments(name);
      return [{ ...(id === "" ? {} : { id }), function: { index, name, arguments: args } }];
    });
  }
}
