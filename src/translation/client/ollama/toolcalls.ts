import { ApiError } from "../../../wire/error.ts";
import { parseToolArguments } from "../../chat/chunk.ts";
import { unreadableAnswer } from "../../validation.ts";

/** A piece of a call as a stream of chat completions has it. */
export interface CallPiece {
  index: number;
  id?: string | null | undefined;
  function?:
    | { name?: string | null | undefined; arguments?: string | null | undefined }
    | undefined;
}

interface Call {
  id: string;
  name: string;
  arguments: string;
}

/** Far more than any model writes. */
const CHARS_MAX = 32 * 1024 * 1024;

/** Puts calls together out of their pieces: Ollama tells each of them whole. */
export class ToolCallAssembler {
  readonly #calls: Call[] = [];
  readonly #byIndex = new Map<number, Call>();
  #chars = 0;

  /** Adds a piece. Throws `upstream` when all together get beyond 32 Mi characters. */
  add({ index, id, function: piece }: CallPiece): void {
    let call = this.#byIndex.get(index);
    // Some servers number every call 0, with ids of their own.
    if (call === undefined || (id && call.id && id !== call.id)) {
      call = { id: "", name: "", arguments: "" };
      this.#calls.push(call);
      this.#byIndex.set(index, call);
      this.#chars += 256;
    }
    if (id) call.id = id;
    if (call.name === "") call.name = piece?.name ?? "";
    const args = piece?.arguments ?? "";
    call.arguments += args;
    this.#chars += args.length;
    if (this.#chars <= CHARS_MAX) return;
    const message = `The answer broke off: its calls are longer than ${CHARS_MAX} characters.`;
    throw new ApiError("upstream", message, { code: "answer_too_large" });
  }

  /** All calls as Ollama writes them. Throws `upstream` for arguments that are no object. */
  take(): object[] {
    this.#byIndex.clear();
    return this.#calls.splice(0).map(({ id, name, arguments: args }, index) => ({
      ...(id === "" ? {} : { id }),
      function: { index, name, arguments: parseArguments(name, args) },
    }));
  }
}

function parseArguments(name: string, text: string): Record<string, unknown> {
  const given = parseToolArguments(text);
  if (given !== undefined) return given;
  throw unreadableAnswer(`the model called \`${name}\` with arguments that are no JSON object`);
}
