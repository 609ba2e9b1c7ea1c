import { malformed } from "./head.ts";

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

/** Longest chunk. Far more than any, and still an exact integer. */
const CHUNK_BYTES_MAX = 2 ** 48;
/** Most bytes of one chunk's extensions, and of all trailers. Both are skipped. */
const EXTENSION_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 16 * 1024;

type State =
  | "size"
  | "digits"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer"
  | "trailer-lf"
  | "end-lf"
  | "end";

/**
 * Decodes the chunked coding (RFC 9112, 7.1), however the bytes are cut into pieces:
 *
 *     size -> digits -> [extension] -> size-lf -> data -> data-cr -> data-lf -> size
 *     after a size of 0: trailer-start -> (trailer -> trailer-lf)* -> end-lf -> end
 */
export class ChunkDecoder {
  #state: State = "size";
  /** Bytes of the current chunk that are still to come. */
  #left = 0;
  /** Bytes of the current extension, or of all trailers. */
  #skipped = 0;

  get ended(): boolean {
    return this.#state === "end";
  }

  /** Where `decode` stopped: behind the last chunk, or at the end of the bytes. */
  at = 0;

  /**
   * Decodes `bytes` from `start` on and returns the data in it. Data of several chunks is moved
   * together inside `bytes`, because one large piece is cheaper than many. Throws `ClientError`.
   */
  decode(bytes: Uint8Array, start: number): Uint8Array {
    let at = start;
    let from = start;
    let to = start;
    while (at < bytes.length && this.#state !== "end") {
      if (this.#state !== "data") {
        this.#control(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const count = Math.min(this.#left, bytes.length - at);
      if (to === from) {
        from = at;
        to = at;
      } else bytes.copyWithin(to, at, at + count);
      to += count;
      at += count;
      this.#left -= count;
      if (this.#left === 0) this.#state = "data-cr";
    }
    this.at = at;
    return bytes.subarray(from, to);
  }

  /** Reads one byte that is no data. */
  #control(byte: number): void {
    switch (this.#state) {
      case "size":
      case "digits":
        return void this.#size(byte);
      case "extension":
        if (byte === CR) this.#state = "size-lf";
        else this.#skip(byte, EXTENSION_BYTES_MAX);
        return;
      case "size-lf":
        this.#skipped = 0;
        return void this.#expect(byte, LF, this.#left === 0 ? "trailer-start" : "data");
      case "data-cr":
        return void this.#expect(byte, CR, "data-lf");
      case "data-lf":
        return void this.#expect(byte, LF, "size");
      case "trailer-start":
      case "trailer":
        if (byte === CR) this.#state = this.#state === "trailer" ? "trailer-lf" : "end-lf";
        else {
          this.#state = "trailer";
          this.#skip(byte, TRAILER_BYTES_MAX);
        }
        return;
      case "trailer-lf":
        return void this.#expect(byte, LF, "trailer-start");
      case "end-lf":
        return void this.#expect(byte, LF, "end");
    }
  }

  #size(byte: number): void {
    const digit = hexOf(byte);
    if (digit !== undefined) {
      this.#left = this.#left * 16 + digit;
      if (this.#left > CHUNK_BYTES_MAX) throw malformed("a chunk is too long");
      this.#state = "digits";
    } else if (this.#state === "size") throw malformed("a chunk has no size");
    else if (byte === CR) this.#state = "size-lf";
    else if (byte === SEMICOLON || byte === 32 || byte === 9) this.#state = "extension";
    else throw malformed("the size of a chunk is no number");
  }

  #skip(byte: number, max: number): void {
    this.#skipped += 1;
    if (byte === LF || this.#skipped > max) throw malformed("what surrounds its chunks");
  }

  #expect(byte: number, expected: number, next: State): void {
    if (byte !== expected) throw malformed("a chunk does not end as it should");
    this.#state = next;
  }
}

function hexOf(byte: number): number | undefined {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : undefined;
}
