import { ApiError } from "../../wire/error.ts";
import { type CallTranscript, isFields } from "./transcript.ts";

type Fields = Record<string, unknown>;

/** What an upstream that goes on says once more before it comes to what is new. */
export interface RepeatedText {
  text: string;
  reasoning: string;
  calls: ReadonlyMap<number, CallTranscript>;
}

/**
 * Takes what the client has out of the answer of an upstream that says it once more. Throws
 * `upstream` where that says something else: nobody knows which of the two it would have been.
 */
export class Repeat {
  readonly #text: Expectation;
  readonly #reasoning: Expectation;
  readonly #calls = new Map<number, Expectation>();

  constructor({ text, reasoning, calls }: RepeatedText) {
    this.#text = new Expectation(text);
    this.#reasoning = new Expectation(reasoning);
    for (const [index, call] of calls) this.#calls.set(index, new Expectation(call.text));
  }

  /** Leaves in a piece of the answer what is new. */
  strip(delta: Fields): void {
    for (const name of ["content", "reasoning_content", "reasoning"]) {
      const said = delta[name];
      const expected = name === "content" ? this.#text : this.#reasoning;
      if (typeof said === "string") delta[name] = expected.take(said);
    }
    if (!Array.isArray(delta.tool_calls)) return;
    const calls = delta.tool_calls.filter(isFields);
    delta.tool_calls = calls.map((call) => this.#call(call)).filter((call) => call !== undefined);
  }

  /** The answer ends. Throws if it was to say more of what was said. */
  end(): void {
    const all = [this.#text, this.#reasoning, ...this.#calls.values()];
    if (all.some((one) => !one.isMet)) throw differs();
  }

  /** A piece of a call whose beginning the client has: its id and name are not said again. */
  #call(call: Fields): Fields | undefined {
    const { index, function: called, id: _, type: __, ...rest } = call;
    const expected = this.#calls.get(typeof index === "number" ? index : 0);
    if (expected === undefined) return call;
    const { name: ___, arguments: said = "", ...more } = isFields(called) ? called : {};
    const text = expected.take(String(said));
    return text === "" ? undefined : { index, ...rest, function: { ...more, arguments: text } };
  }
}

/** A text that is to come, in pieces of any length. */
class Expectation {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  get isMet(): boolean {
    return this.#rest === "";
  }

  /** What of the next piece is behind the expected text. */
  take(piece: string): string {
    const length = Math.min(piece.length, this.#rest.length);
    if (!this.#rest.startsWith(piece.slice(0, length))) throw differs();
    this.#rest = this.#rest.slice(length);
    return piece.slice(length);
  }
}

function differs(): ApiError {
  const message = "The answer broke off, and no other endpoint said the same again. Try again.";
  return new ApiError("upstream", message, { code: "stream_broken" });
}
