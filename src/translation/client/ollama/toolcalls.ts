import { ApiError } from "../../../wire/error.ts";
import { parseToolArguments } from "../../chat/chunk.ts";
import { type CallPiece, ToolCallTracker } from "../../chat/toolcalls.ts";
import { unreadableAnswer } from "../../validation.ts";

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

  /** All calls as Ollama writes them. Throws `upstream` for arguments that are no object. */
  take(): object[] {
    return this.#tracker.calls.map(({ id, name }, index) => ({
      ...(id === "" ? {} : { id }),
      function: { index, name, arguments: parseArguments(name, this.#texts[index] ?? "") },
    }));
  }
}

function parseArguments(name: string, text: string): Record<string, unknown> {
  const given = parseToolArguments(text);
  if (given !== undefined) return given;
  throw unreadableAnswer(`the model called \`${name}\` with arguments that are no JSON object`);
}
