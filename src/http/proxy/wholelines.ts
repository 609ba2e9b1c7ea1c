/** Longest line that is held back; longer ones are passed on in pieces. */
const HELD_BYTES_MAX = 256 * 1024;

const LINE_FEED = 10;

/** Passes bytes on up to the last line end, and holds back the rest. */
export class WholeLines {
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** Takes the next bytes; returns those that may be sent now. */
  take(piece: Uint8Array): Uint8Array | undefined {
    const complete = piece.at(-1) === LINE_FEED;
    if (complete && this.#heldBytes === 0) return piece;
    const cut = complete ? piece.byteLength : piece.lastIndexOf(LINE_FEED) + 1;
    const fits = this.#heldBytes + piece.byteLength - cut <= HELD_BYTES_MAX;
    if (!fits) {
      this.#hold(piece);
      return this.rest();
    }
    if (cut > 0) this.#hold(piece.subarray(0, cut));
    const whole = cut > 0 ? this.rest() : undefined;
    if (cut < piece.byteLength) this.#hold(piece.subarray(cut));
    return whole;
  }

  /** Returns the bytes that are held back, and forgets them. */
  rest(): Uint8Array | undefined {
    const held = this.#held;
    if (held.length === 0) return undefined;
    this.#held = [];
    this.#heldBytes = 0;
    return held.length === 1 ? held[0] : Buffer.concat(held);
  }

  #hold(piece: Uint8Array): void {
    this.#held.push(piece);
    this.#heldBytes += piece.byteLength;
  }
}
