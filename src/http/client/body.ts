import { ClientError } from "./failure.ts";

/** The body of an answer, as far as it has come. */
export interface AnswerBody {
  /** Whether all of it has come; there may still be bytes to `read`. */
  readonly ended: boolean;
  /**
   * Reads all bytes that have come, at once if there are any; undefined at the end. Rejects or
   * throws its failure once the bytes before that have been read. One call at a time.
   */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The whole rest. Rejects with `too_large` beyond `limitBytes`. */
  bytes(limitBytes: number): Promise<Uint8Array>;
  /** Ends it: reading fails with `cause`. No effect once it has ended. */
  abort(cause: unknown): void;
}

/** A body that is read piece by piece. */
export type ReadableBody = Pick<AnswerBody, "read" | "abort">;

/** The whole rest of a body. Rejects with `too_large` beyond `limitBytes`. */
export async function restOf(body: AnswerBody, limitBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = await body.read();
    if (piece === undefined) return joined(pieces, size);
    pieces.push(piece);
    size += piece.byteLength;
    if (size <= limitBytes) continue;
    const error = new ClientError("too_large", `Reading failed: over ${limitBytes} bytes.`);
    body.abort(error);
    throw error;
  }
}

/** Pieces of `size` bytes together as one; a single one is not copied. */
export function joined(pieces: Uint8Array[], size: number): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces, size);
}

/** Longest wait for the end of a body of which all that counts has come. */
const END_MS_MAX = 1000;
const END_BYTES_MAX = 256 * 1024;

/** Reads what is left of a body, so that its connection can be used again. Never rejects. */
export async function passOver(body: ReadableBody): Promise<void> {
  const timer = setTimeout(() => body.abort(new Error("It has no end.")), END_MS_MAX);
  try {
    let size = 0;
    for (let piece = await body.read(); piece !== undefined; piece = await body.read()) {
      size += piece.byteLength;
      if (size > END_BYTES_MAX) body.abort(new Error("It goes on behind its end."));
    }
  } catch {
    // Nobody needs it.
  } finally {
    clearTimeout(timer);
  }
}
