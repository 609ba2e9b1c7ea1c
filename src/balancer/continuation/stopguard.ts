/**
 * Finds a stop sequence that begins in what was said before a stream broke and ends in what is said
 * after it: the upstream that goes on knows only its own words. Servers that hold back what may be
 * the beginning of a stop sequence have sent none; others have.
 */
export class StopGuard {
  readonly #stops: readonly string[];
  /** The end of what was said, in which a stop sequence may begin; "" where none does. */
  #before: string;
  #held = "";
  /** A stop sequence is complete: nothing follows. */
  isStopped = false;

  constructor(stops: readonly string[], said: string) {
    this.#stops = stops;
    this.#before = beginningIn(said, stops);
  }

  /** The text that may be sent now. */
  push(text: string): string {
    if (this.isStopped) return "";
    if (this.#before === "") return text;
    this.#held += text;
    while (this.#before !== "") {
      const all = this.#before + this.#held;
      if (this.#stops.some((stop) => all.startsWith(stop))) {
        this.isStopped = true;
        return "";
      }
      if (this.#stops.some((stop) => stop.startsWith(all))) return "";
      this.#before = beginningIn(this.#before.slice(1), this.#stops);
    }
    return this.rest();
  }

  /** What was held back. */
  rest(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** The longest end of a text with which a stop sequence begins that is longer. */
function beginningIn(said: string, stops: readonly string[]): string {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, said.length); length > 0; length -= 1) {
    const end = said.slice(-length);
    if (stops.some((stop) => stop.length > length && stop.startsWith(end))) return end;
  }
  return "";
}
