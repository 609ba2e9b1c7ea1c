/** Bytes of an answer's end that are kept at least. */
export const TAIL_BYTES = 4096;

/** What a second piece is kept in, with those behind it. */
const GROWN_BYTES_MIN = 2048;

/**
 * Keeps the beginning and the end of an answer that arrives in pieces, and counts its bytes. Pieces
 * are copied, neither changed nor kept; a piece costs a copy of its own length.
 */
export class AnswerSample {
  readonly #headMax: number;
  #head: Buffer = EMPTY;
  #headLength = 0;
  /** A view of its filled part; undefined if it has to be made anew. */
  #headView: Buffer | undefined;
  /** At least the last 4 KiB of what follows the head. */
  #tail: Buffer | undefined;
  #tailLength = 0;
  #bytes = 0;

  /** Keeps up to `headMax` bytes of the beginning. */
  constructor(headMax: number) {
    this.#headMax = headMax;
  }

  /** Bytes of the answer so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get head(): Buffer {
    // It is read several times, and a view has its cost.
    this.#headView ??= this.#head.subarray(0, this.#headLength);
    return this.#headView;
  }

  /** The last bytes, all of them if there were few. */
  get tail(): Buffer {
    const tail = this.#tail?.subarray(0, this.#tailLength) ?? EMPTY;
    const beyond = this.#bytes - this.#headLength;
    if (beyond >= TAIL_BYTES) return tail;
    const { head } = this;
    const before = head.length <= 2 * TAIL_BYTES ? head : head.subarray(-2 * TAIL_BYTES);
    return beyond === 0 ? before : Buffer.concat([before, tail]);
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length;
    const room = this.#headMax - this.#headLength;
    if (room > 0) this.#pushHead(room >= piece.length ? piece : piece.subarray(0, room));
    if (room < piece.length) this.#pushTail(room > 0 ? piece.subarray(room) : piece);
  }

  #pushHead(piece: Uint8Array): void {
    const needed = this.#headLength + piece.length;
    if (needed > this.#head.length) {
      // Most answers are one piece, and streams are many.
      const more = this.#headLength === 0 ? 0 : Math.max(2 * this.#head.length, GROWN_BYTES_MIN);
      const size = Math.min(this.#headMax, Math.max(needed, more));
      const larger = Buffer.allocUnsafeSlow(size);
      if (this.#headLength > 0) larger.set(this.#head.subarray(0, this.#headLength));
      this.#head = larger;
    }
    this.#head.set(piece, this.#headLength);
    this.#headView = needed === this.#head.length ? this.#head : undefined;
    this.#headLength = needed;
  }

  #pushTail(piece: Uint8Array): void {
    this.#tail ??= Buffer.allocUnsafeSlow(2 * TAIL_BYTES);
    const tail = this.#tail;
    if (piece.length >= TAIL_BYTES) {
      tail.set(piece.subarray(-TAIL_BYTES));
      this.#tailLength = TAIL_BYTES;
      return;
    }
    if (this.#tailLength + piece.length > tail.length) {
      tail.copyWithin(0, this.#tailLength - TAIL_BYTES, this.#tailLength);
      this.#tailLength = TAIL_BYTES;
    }
    tail.set(piece, this.#tailLength);
    this.#tailLength += piece.length;
  }
}

const EMPTY = Buffer.alloc(0);
