/** At least so much of an answer's end is kept. */
export const TAIL_BYTES = 4096;

/**
 * Keeps the beginning and the end of bytes that pass by in pieces, and counts them. Pieces are
 * copied and neither changed nor held; a piece costs a copy of its own length.
 */
export class Sample {
  readonly #headMax: number;
  #head: Buffer = EMPTY;
  #headLength = 0;
  /** What comes behind the head; its last 4 KiB at least. */
  #tail: Buffer | undefined;
  #tailLength = 0;
  #bytes = 0;
  #pieces = 0;

  /** Keeps up to `headMax` bytes of the beginning. */
  constructor(headMax: number) {
    this.#headMax = headMax;
  }

  /** Bytes that passed by. */
  get bytes(): number {
    return this.#bytes;
  }

  get pieces(): number {
    return this.#pieces;
  }

  get head(): Buffer {
    return this.#head.subarray(0, this.#headLength);
  }

  /** The last bytes, all of them if there were few. */
  get tail(): Buffer {
    const tail = this.#tail?.subarray(0, this.#tailLength) ?? EMPTY;
    const beyond = this.#bytes - this.#headLength;
    if (beyond >= TAIL_BYTES) return tail;
    const before = this.head.subarray(-2 * TAIL_BYTES);
    return beyond === 0 ? before : Buffer.concat([before, tail]);
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length;
    this.#pieces += 1;
    const room = this.#headMax - this.#headLength;
    if (room > 0) this.#pushHead(room >= piece.length ? piece : piece.subarray(0, room));
    if (room < piece.length) this.#pushTail(room > 0 ? piece.subarray(room) : piece);
  }

  #pushHead(piece: Uint8Array): void {
    const needed = this.#headLength + piece.length;
    if (needed > this.#head.length) {
      const size = Math.min(this.#headMax, Math.max(needed, 2 * this.#head.length, 512));
      const larger = Buffer.allocUnsafeSlow(size);
      larger.set(this.#head.subarray(0, this.#headLength));
      this.#head = larger;
    }
    this.#head.set(piece, this.#headLength);
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
