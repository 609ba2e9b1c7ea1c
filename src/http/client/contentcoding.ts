import { pipeline, Readable, type Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import { type AnswerBody, restOf } from "./body.ts";
import { headerOf, malformed, type ResponseHead } from "./head.ts";
import { ZstdFrames } from "./zstdframes.ts";

/** More than one is rare; many are an attack. */
const CODINGS_MAX = 3;

/** What undoes a coding; `first` is its first byte. */
const DECODERS: Record<string, (first: number) => Transform> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
  // Some servers leave out the zlib wrapper (RFC 9110, 8.4.1.2).
  deflate: (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw()),
};

/** An answer whose body is what it says, however it was coded on its way. */
export interface PlainAnswer {
  head: ResponseHead;
  body: AnswerBody;
}

/**
 * Undoes the content coding of an answer: a server may disregard what we accept (RFC 9110, 12.5.3).
 * What is decoded comes as it arrives, no faster than it is read. Of the length of such a body
 * nothing is known. Throws `ClientError` for a coding that nobody knows.
 */
export function plainAnswer(head: ResponseHead, body: AnswerBody): PlainAnswer {
  const value = headerOf(head, "content-encoding");
  if (value === undefined || (head.framing === "length" && head.length === 0)) {
    return { head, body };
  }
  const codings = value.toLowerCase().split(",").map(trimmed).filter(isCoding);
  if (codings.length === 0) return { head, body };
  const known = codings.filter((coding) => Object.hasOwn(DECODERS, coding));
  if (known.length < codings.length || known.length > CODINGS_MAX) {
    const error = malformed(`the content coding ${value.slice(0, 40)}`);
    body.abort(error);
    throw error;
  }
  const plain: ResponseHead = { ...head, framing: "chunked", length: 0 };
  return { head: plain, body: new DecodedBody(body, known) };
}

function trimmed(text: string): string {
  return text.trim();
}

function isCoding(text: string): boolean {
  return text !== "" && text !== "identity";
}

class DecodedBody implements AnswerBody {
  ended = false;
  readonly #coded: AnswerBody;
  readonly #pieces: AsyncGenerator<Uint8Array>;
  /** Why there are no more coded bytes. */
  #failure: unknown;

  /** `codings` in the order in which they were applied. */
  constructor(coded: AnswerBody, codings: readonly string[]) {
    this.#coded = coded;
    this.#pieces = codings.reduceRight(decode, this.#codedPieces());
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const { done, value } = await this.#pieces.next();
      this.ended = done === true;
      return value;
    } catch (cause) {
      const error = this.#failure ?? malformed("its content coding is broken", cause);
      this.abort(error);
      throw error;
    }
  }

  bytes(limitBytes: number): Promise<Uint8Array> {
    return restOf(this, limitBytes);
  }

  abort(cause: unknown): void {
    if (this.ended) return;
    this.#failure ??= cause;
    this.#coded.abort(cause);
    this.#pieces.return(undefined).catch(() => undefined);
  }

  async *#codedPieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = await this.#coded.read();
        if (piece === undefined) return;
        yield piece;
      }
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }
}

/** What a coding made these pieces of. */
async function* decode(
  pieces: AsyncGenerator<Uint8Array>,
  coding: string,
): AsyncGenerator<Uint8Array> {
  const first = await pieces.next();
  if (first.done === true) return;
  const decoder = DECODERS[coding]?.(first.value[0] ?? 0);
  if (decoder === undefined) return;
  const frames = coding === "zstd" ? new ZstdFrames() : undefined;
  frames?.push(first.value);
  async function* all() {
    yield first.value;
    for await (const piece of pieces) {
      frames?.push(piece);
      yield piece;
    }
  }
  // Failures come out of the decoder, which is what is read.
  pipeline(Readable.from(all()), decoder, () => undefined);
  yield* decoder;
  // The other decoders fail where bytes are missing.
  if (frames?.isWhole === false) throw new Error("The last zstd frame is not whole.");
}
