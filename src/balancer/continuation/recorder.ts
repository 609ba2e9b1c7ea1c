import { parseObject } from "../../lib/json.ts";
import type { EventFraming } from "./framing.ts";
import { READERS, type StreamFormat } from "./streamformat.ts";
import { TextTemplate } from "./texttemplate.ts";
import { Transcript } from "./transcript.ts";

/** So many bytes of a stream are kept as they came until they are read. */
const UNREAD_BYTES_MAX = 64 * 1024;

/** Characters of one stream that are kept. */
const CHARS_MAX = 1024 * 1024;

/** What all streams together keep. */
export class RecorderMemory {
  readonly #bytesMax: number;
  #bytes = 0;

  /** `bytesMax`: beyond it, streams that begin or grow are not kept. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether so many bytes more are there. Give them back by `release`. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * Keeps in mind what a client was sent of a stream, so that another upstream can go on from there.
 * A piece costs next to nothing: it is kept as it came, and read when the stream breaks, or when
 * 64 KiB of such pieces are there. Of one that is too long, nothing is kept.
 */
export class StreamRecorder {
  readonly #memory: RecorderMemory;
  #pieces: Uint8Array[] = [];
  #unreadBytes = 0;
  /** What it has taken of the memory. */
  #takenBytes = 0;
  #transcript = new Transcript();
  format: StreamFormat = "chat";
  /** How its stream is made; undefined before it begins. */
  framing: EventFraming | undefined;
  /** Why nothing is kept; undefined: all is. */
  overflow: "too_long" | "memory_full" | undefined;

  constructor(memory: RecorderMemory) {
    this.#memory = memory;
  }

  /** Whole events that the client is sent. They must not be changed any more. */
  push(piece: Uint8Array): void {
    if (this.overflow !== undefined) return;
    this.#pieces.push(piece);
    this.#unreadBytes += piece.byteLength;
    if (this.#takenBytes < this.#unreadBytes && !this.#take(UNREAD_BYTES_MAX)) {
      this.#drop("memory_full");
    } else if (this.#unreadBytes >= UNREAD_BYTES_MAX) this.#fold();
  }

  /** What was said so far; undefined if it was too much. */
  read(): Transcript | undefined {
    if (this.overflow === undefined) this.#fold();
    return this.overflow === undefined ? this.#transcript : undefined;
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    this.#drop("too_long");
  }

  #fold(): void {
    const transcript = this.#transcript;
    const before = transcript.chars;
    const read = READERS[this.format];
    const template = new TextTemplate();
    for (const { data } of this.framing?.read(this.#pieces) ?? []) {
      template.add(transcript, data, () => {
        const event = parseObject(data);
        if (event !== undefined) read(transcript, event);
      });
    }
    this.#pieces = [];
    this.#unreadBytes = 0;
    if (transcript.chars > CHARS_MAX) this.#drop("too_long");
    else if (!this.#take(2 * (transcript.chars - before))) this.#drop("memory_full");
  }

  #take(bytes: number): boolean {
    const isThere = this.#memory.take(bytes);
    if (isThere) this.#takenBytes += bytes;
    return isThere;
  }

  #drop(reason: "too_long" | "memory_full"): void {
    this.overflow ??= reason;
    this.#pieces = [];
    this.#transcript = new Transcript();
    this.#memory.release(this.#takenBytes);
    this.#takenBytes = 0;
  }
}
