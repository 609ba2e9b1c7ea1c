import { ChunkDecoder } from "./chunks.ts";
import { ClientError } from "./failure.ts";
import { malformed, parseHead, type ResponseHead } from "./head.ts";

/** Receives what a parser reads, in this order. */
export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, at least one. */
  onBody(bytes: Uint8Array): void;
  onEnd(): void;
}

/** Most bytes of an answer's head, with those of interim answers before it. */
const HEAD_BYTES_MAX = 64 * 1024;

const EMPTY_LINE = Buffer.from("\r\n\r\n");

/**
 * Reads one HTTP/1.x answer out of a stream of bytes that may be cut anywhere. Interim answers
 * (1xx) are skipped. The sink gets views of the bytes that were fed.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #toHead: boolean;
  #head: ResponseHead | undefined;
  /** The beginning of a head that is not complete yet. */
  #held: Buffer | undefined;
  #headBytes = 0;
  /** Bytes of a body with a length that are still to come. */
  #left = 0;
  #chunks: ChunkDecoder | undefined;
  #ended = false;
  #surplus = false;

  /** `toHead`: the request's method was HEAD, so that there is no body. */
  constructor(sink: ResponseSink, toHead: boolean) {
    this.#sink = sink;
    this.#toHead = toHead;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The answer ended where it said, and the server accepts another request. */
  get reusable(): boolean {
    return this.#ended && !this.#surplus && this.#head?.keepAlive === true;
  }

  /** Reads the next bytes, and may change them. Throws `ClientError` if they are no answer. */
  feed(bytes: Buffer): void {
    const start = this.#head === undefined ? this.#readHead(bytes) : { bytes, at: 0 };
    if (start !== undefined) this.#readBody(start.bytes, start.at);
  }

  /** The connection was closed properly. Throws `ClientError` if the answer is not complete. */
  close(): void {
    if (this.#ended) return;
    if (this.#head?.framing !== "close") throw broken();
    this.#end();
  }

  /** Where the body begins; undefined as long as the head is not complete. */
  #readHead(piece: Buffer): { bytes: Buffer; at: number } | undefined {
    const bytes = this.#held === undefined ? piece : Buffer.concat([this.#held, piece]);
    let at = 0;
    for (;;) {
      const end = bytes.indexOf(EMPTY_LINE, at);
      const count = (end < 0 ? bytes.length : end) - at;
      if (this.#headBytes + count > HEAD_BYTES_MAX) throw malformed("its headers are too long");
      if (end < 0) {
        this.#held = at === 0 ? bytes : bytes.subarray(at);
        return undefined;
      }
      this.#headBytes += count;
      const head = parseHead(bytes.toString("latin1", at, end), this.#toHead);
      at = end + EMPTY_LINE.length;
      if (head.status === 101) throw malformed("it changes to another protocol");
      if (head.status < 200) continue;
      this.#held = undefined;
      this.#begin(head);
      return { bytes, at };
    }
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    this.#left = head.length;
    if (head.framing === "chunked") this.#chunks = new ChunkDecoder();
    else if (head.framing === "close") head.keepAlive = false;
    this.#sink.onHead(head);
    if (head.framing === "length" && head.length === 0) this.#end();
  }

  #readBody(bytes: Buffer, at: number): void {
    if (this.#ended) {
      if (at < bytes.length) this.#surplus = true;
      return;
    }
    if (at >= bytes.length) return;
    if (this.#chunks !== undefined) {
      this.#readChunks(bytes, at, this.#chunks);
      return;
    }
    const framing = this.#head?.framing;
    const count = framing === "close" ? bytes.length - at : Math.min(this.#left, bytes.length - at);
    this.#sink.onBody(bytes.subarray(at, at + count));
    this.#left -= count;
    this.#surplus = at + count < bytes.length;
    if (framing === "length" && this.#left === 0) this.#end();
  }

  #readChunks(bytes: Buffer, at: number, chunks: ChunkDecoder): void {
    const data = chunks.decode(bytes, at);
    if (data.length > 0) this.#sink.onBody(data);
    this.#surplus = chunks.at < bytes.length;
    if (chunks.ended) this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#sink.onEnd();
  }
}

/** The failure of a connection that ended too early. */
export function broken(cause?: unknown): ClientError {
  const message = "Reading the answer failed: the connection ended before it was complete.";
  return new ClientError("broken", message, cause);
}
