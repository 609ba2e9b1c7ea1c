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
  /** The part of it that is filled. */
  #kept: Buffer | undefined;
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
    // Asked for several times by those who read what was kept; a view each time is not free.
    this.#kept ??= this.#head.subarray(0, this.#headLength);
    return this.#kept;
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
    this.#kept = undefined;
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
