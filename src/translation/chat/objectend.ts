/** Tells when a JSON object that comes in pieces is complete; it keeps none of it. */
export class JsonObjectEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #closed = false;

  /** Whether the object has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Looks at the next piece. */
  push(piece: string): void {
    for (const char of piece) this.#read(char);
  }

  #read(char: string): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (char === "\\") this.#escaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth += 1;
    else if (char === "}" || char === "]") {
      this.#depth -= 1;
      if (this.#depth === 0) this.#closed = true;
    }
  }
}
