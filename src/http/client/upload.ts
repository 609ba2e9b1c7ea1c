import { ClientError } from "./failure.ts";

/** A request body that is sent while it comes in. */
export interface StreamedBody {
  /** Read once, at the pace of the server; empty pieces are skipped. */
  stream: AsyncIterable<Uint8Array>;
  /** Bytes of all pieces together. Default: unknown; the body is sent in chunks. */
  length?: number | undefined;
}

/** A request's body: bytes that can be sent again, or a stream that cannot. */
export type RequestBody = Uint8Array | StreamedBody | null;

/** Whether a body is a stream, which can be sent only once. */
export function isStreamed(body: RequestBody): body is StreamedBody {
  return body !== null && "stream" in body;
}

/** Writes bytes of a body. If it returns a promise, the next call has to wait for that. */
export type BodyWriter = (bytes: Uint8Array) => Promise<void> | undefined;

/**
 * Sends one streamed body: with the declared length, or in chunks (RFC 9112, 7.1). A piece is read
 * only when the piece before it is written.
 */
export class Upload {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #length: number | undefined;
  #sent = 0;
  #stopped = false;
  #ended = false;

  constructor({ stream, length }: StreamedBody) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#length = length;
  }

  /** The whole body is written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends the body until its end or `stop`. Rejects with `ClientError` (`body`) if it fails. */
  async run(write: BodyWriter): Promise<void> {
    try {
      while (!this.#stopped) {
        const { done, value } = await this.#iterator.next();
        if (this.#stopped) return;
        if (done === true) break;
        if (value.byteLength === 0) continue;
        await write(this.#framed(value));
      }
      if (!this.#stopped) this.#end(write);
    } catch (cause) {
      this.stop();
      if (cause instanceof ClientError) throw cause;
      throw new ClientError("body", "Sending the body failed: it could not be read.", cause);
    }
  }

  /** Reads no more of the body. Idempotent. */
  stop(): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = true;
    // Nobody waits for the stream any more, so its failure to end concerns nobody.
    this.#iterator.return?.().catch(() => undefined);
  }

  #framed(piece: Uint8Array): Uint8Array {
    this.#sent += piece.byteLength;
    if (this.#length !== undefined) {
      if (this.#sent > this.#length) throw wrongLength("more");
      return piece;
    }
    const size = Buffer.from(`${piece.byteLength.toString(16)}\r\n`, "latin1");
    return Buffer.concat([size, piece, CHUNK_END]);
  }

  #end(write: BodyWriter): void {
    if (this.#length !== undefined && this.#sent < this.#length) throw wrongLength("less");
    this.#ended = true;
    if (this.#length === undefined) void write(LAST_CHUNK);
  }
}

const CHUNK_END = Buffer.from("\r\n", "latin1");
const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

function wrongLength(how: "more" | "less"): ClientError {
  return new ClientError("body", `Sending the body failed: there was ${how} of it than declared.`);
}
