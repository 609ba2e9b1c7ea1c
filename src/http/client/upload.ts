import { ClientError } from "./failure.ts";

/** A request body that is sent while it comes in. */
export interface StreamedBody {
  /** Read once, at the server's pace; empty pieces are passed over. */
  stream: AsyncIterable<Uint8Array>;
  /** Bytes of all pieces together; when absent the body goes out in chunks. */
  length?: number | undefined;
}

/** A request's body: bytes that can be sent again, or a stream that cannot. */
export type RequestBody = Uint8Array | StreamedBody | null;

/** Whether a body can be sent once only. */
export function isStreamed(body: RequestBody): body is StreamedBody {
  return body !== null && "stream" in body;
}

/** Takes the bytes of a body; a promise means: no more until it settles. */
export type Send = (bytes: Uint8Array) => Promise<void> | undefined;

/**
 * The sending of one streamed body: the declared number of bytes, or chunks (RFC 9112, 7.1). No
 * piece is asked for before the one before it is taken.
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

  /** All of it is handed over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends it all, or until `stop`. Rejects with `ClientError` (`body`) if its source fails. */
  async run(send: Send): Promise<void> {
    try {
      while (!this.#stopped) {
        const { done, value } = await this.#iterator.next();
        if (this.#stopped) return;
        if (done === true) break;
        if (value.byteLength === 0) continue;
        await send(this.#framed(value));
      }
      if (!this.#stopped) this.#end(send);
    } catch (cause) {
      this.stop();
      if (cause instanceof ClientError) throw cause;
      throw new ClientError("body", "Sending the body failed: it could not be read.", cause);
    }
  }

  /** Reads no more of it. Idempotent. */
  stop(): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = true;
    // A source that cannot even be left has nobody to tell.
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

  #end(send: Send): void {
    if (this.#length !== undefined && this.#sent < this.#length) throw wrongLength("less");
    this.#ended = true;
    if (this.#length === undefined) void send(LAST_CHUNK);
  }
}

const CHUNK_END = Buffer.from("\r\n", "latin1");
const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

function wrongLength(how: "more" | "less"): ClientError {
  return new ClientError("body", `Sending the body failed: there was ${how} of it than declared.`);
}
