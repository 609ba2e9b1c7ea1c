import type { ToolCallDelta } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import { parseToolArguments } from "../../chat/toolarguments.ts";
import { ToolCallTracker } from "../../chat/toolcalls.ts";
import { unreadableArguments } from "../../errors.ts";

/** The most characters of all calls of one answer, far more than any model writes. */
const CHARS_MAX = 32 * 1024 * 1024;
/** What a call counts besides its arguments. */
const CALL_CHARS = 256;

/** Puts tool calls together from their streamed pieces: Ollama sends each call whole. */
export class ToolCallAssembler {
  readonly #tracker = new ToolCallTracker();
  /** The arguments of each call. */
  readonly #texts: string[] = [];
  #chars = 0;

  /** Adds a piece. Throws `upstream` when all together have more than 32 Mi characters. */
  add(piece: ToolCallDelta): void {
    const { number } = this.#tracker.add(piece);
    const args = piece.function?.arguments ?? "";
    const before = this.#texts[number];
    this.#texts[number] = (before ?? "") + args;
    this.#chars += args.length + (before === undefined ? CALL_CHARS : 0);
    if (this.#chars <= CHARS_MAX) return;
    const message = `The answer broke off: its calls are longer than ${CHARS_MAX} characters.`;
    throw new ApiError("upstream", message, { code: "answer_too_large" });
  }

  /**
   * All calls in Ollama's form, without one that the token limit cut short, as `finishReason`
   * says. Throws `tool_call_failed` for arguments that are not a JSON object.
   */
  take(finishReason: string | null | undefined): object[] {
    return this.#tracker.calls.flatMap(({ id, name }, index) => {
      const args = parseToolArguments(this.#texts[index] ?? "");
      if (args === undefined && finishReason === "length") return [];
      if (args === undefined) throw unreadableArguments(name);
      return [{ ...(id === "" ? {} : { id }), function: { index, name, arguments: args } }];
    });
  }
}
