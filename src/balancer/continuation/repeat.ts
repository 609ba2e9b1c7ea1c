import { ApiError } from "../../wire/error.ts";
import { type CallTranscript, isFields } from "./transcript.ts";

type Fields = Record<string, unknown>;

/** What an upstream that goes on says once more before it comes to what is new. */
export interface RepeatedText {
  text: string;
  reasoning: string;
  calls: ReadonlyMap<number, CallTranscript>;
  /** The space at its beginning may as well be another one, or none. Default: it may not. */
  isLoose?: boolean;
}

/**
 * Takes what the client has out of the answer of an upstream that says it once more. Throws
 * `upstream` where that says something else: nobody knows which of the two it would have been.
 */
export class Repeat {
  readonly #text: Expectation;
  readonly #reasoning: Expectation;
  readonly #calls = new Map<number, Expectation>();

  constructor({ text, reasoning, calls, isLoose = false }: RepeatedText) {
    this.#text = new Expectation(text, isLoose);
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
    if (all.some((one) => !one.isMet)) throw saysOther();
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
  readonly #isLoose: boolean;
  /** Other space comes in place of the rest, and is passed over. */
  #isPassing = false;

  /** `isLoose`: space may be other space. */
  constructor(text: string, isLoose = false) {
    this.#rest = text;
    this.#isLoose = isLoose;
  }

  get isMet(): boolean {
    return this.#rest === "" || (this.#isLoose && this.#rest.trim() === "");
  }

  /** What of the next piece is behind the expected text. */
  take(piece: string): string {
    let length = 0;
    while (length < this.#rest.length && piece[length] === this.#rest[length]) length += 1;
    this.#rest = this.#rest.slice(length);
    const behind = piece.slice(length);
    const isOther = behind !== "" && this.#rest !== "";
    if (isOther && !this.isMet) throw saysOther();
    this.#isPassing ||= isOther;
    if (!this.#isPassing) return behind;
    const said = behind.trimStart();
    if (said !== "") [this.#rest, this.#isPassing] = ["", false];
    return said;
  }
}

/** What an upstream says is not what the client has, or cannot be behind it. */
export function saysOther(): ApiError {
  const message = "The answer broke off, and no other endpoint said the same again. Try again.";
  return new ApiError("upstream", message, { code: "stream_broken" });
}
