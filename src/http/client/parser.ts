import { ChunkDecoder } from "./chunks.ts";
import { ClientError } from "./failure.ts";
import { malformed, parseHead, type ResponseHead } from "./head.ts";

/** Whom a parser tells what it has read, in this order. */
export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, never none. */
  onBody(bytes: Uint8Array): void;
  onEnd(): void;
}

/** Bytes of an answer's head, those of interim answers before it included. */
const HEAD_BYTES_MAX = 64 * 1024;

const EMPTY_LINE = Buffer.from("\r\n\r\n");

/**
 * Reads one HTTP/1.x answer out of a stream of bytes that may be cut anywhere. Interim answers
 * (1xx) are passed over. What it hands to the sink are views of what it was fed.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #toHead: boolean;
  #head: ResponseHead | undefined;
  /** The beginning of a head that is not complete. */
  #held: Buffer | undefined;
  #headBytes = 0;
  /** Bytes that a body with a length still has. */
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

  /** The answer ended where it said, and the server will take another request. */
  get reusable(): boolean {
    return this.#ended && !this.#surplus && this.#head?.keepAlive === true;
  }

  /** Takes the next bytes, which it may change. Throws `ClientError` for what is no answer. */
  feed(bytes: Buffer): void {
    const start = this.#head === undefined ? this.#readHead(bytes) : { bytes, at: 0 };
    if (start !== undefined) this.#readBody(start.bytes, start.at);
  }

  /** The connection has ended in order. Throws `ClientError` if the answer had not. */
  close(): void {
    if (this.#ended) return;
    if (this.#head?.framing !== "close") throw broken();
    this.#end();
  }

  /** Where the body begins, once its head is complete. */
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
