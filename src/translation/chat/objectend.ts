/** Finds the end of a JSON object that comes in pieces, without keeping them. */
export class JsonObjectEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isReached = false;

  /** Whether the object has ended. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Reads the next piece. */
  push(piece: string): void {
    for (const char of piece) this.#read(char);
  }

  #read(char: string): void {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === "\\") this.#isEscaped = true;
      else if (char === '"') this.#isInString = false;
    } else if (char === '"') this.#isInString = true;
    else if (char === "{" || char === "[") this.#depth += 1;
    else if (char === "}" || char === "]") {
      this.#depth -= 1;
      if (this.#depth === 0) this.#isReached = true;
    }
  }
}
