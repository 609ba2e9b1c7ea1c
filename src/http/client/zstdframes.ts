/** What the next bytes of a frame are that have to be read. */
type Part = "magic" | "descriptor" | "block" | "skippable" | "unknown";

const BYTES: Record<Part, number> = { magic: 4, descriptor: 1, block: 3, skippable: 4, unknown: 1 };

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const CHECKSUM_BYTES = 4;
const RLE = 1;

/**
 * Follows coded bytes from frame to frame, and so finds out whether the last one is whole: Bun's
 * decoder takes a cut one for the end. Source: RFC 8878, 3.1.
 */
export class ZstdFrames {
  #part: Part = "magic";
  /** What was read of the part, and the number that it is (little-endian). */
  #read = 0;
  #value = 0;
  /** Bytes that come before the part. */
  #skip = 0;
  #hasChecksum = false;

  /** The bytes so far end with a frame. What is no frame is left to the decoder. */
  get isWhole(): boolean {
    if (this.#part === "unknown") return true;
    return this.#part === "magic" && this.#read === 0 && this.#skip === 0;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      const byte = bytes[at];
      if (byte === undefined || this.#part === "unknown") return;
      at += 1;
      // No shift: that would make large numbers negative.
      this.#value += byte * 2 ** (8 * this.#read);
      this.#read += 1;
      if (this.#read === BYTES[this.#part]) this.#next();
    }
  }

  #next(): void {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        this.#part = partBehind(value);
        break;
      case "descriptor":
        this.#hasChecksum = (value & 4) !== 0;
        this.#skip = headerBytes(value);
        this.#part = "block";
        break;
      case "block": {
        const isLast = (value & 1) === 1;
        const isRepeated = ((value >> 1) & 3) === RLE;
        this.#skip = isRepeated ? 1 : value >> 3;
        if (isLast && this.#hasChecksum) this.#skip += CHECKSUM_BYTES;
        this.#part = isLast ? "magic" : "block";
        break;
      }
      case "skippable":
        this.#skip = value;
        this.#part = "magic";
        break;
      case "unknown":
        break;
    }
    this.#read = 0;
    this.#value = 0;
  }
}

function partBehind(magic: number): Part {
  if (magic === MAGIC) return "descriptor";
  return (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE ? "skippable" : "unknown";
}

/** The length of a frame's header behind its descriptor. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor & 32) !== 0;
  const size = CONTENT_SIZE_BYTES[descriptor >> 6] ?? 0;
  const dictionary = DICTIONARY_BYTES[descriptor & 3] ?? 0;
  const window = isSingle ? 0 : 1;
  return window + dictionary + (isSingle && size === 0 ? 1 : size);
}
