import { type AnswerBody, passOver } from "../client/body.ts";
import { ReadBody, type TypedAnswer } from "./answertype.ts";
import type { Deadlines } from "./deadlines.ts";
import { hasLastEvent } from "./rewrite/streamend.ts";

/** How much of a body is read ahead, and whose time it takes. */
interface ReadLimits {
  bytesMax: number;
  deadlines: Deadlines;
}

/** The last event of a stream is shorter. */
const LAST_BYTES_MAX = 32;

/** A body, as far as it was read. */
interface BodyHead {
  bytes: Buffer;
  ended: boolean;
  /** Why there is no more of a stream that broke off. */
  failure?: unknown;
}

/**
 * The whole body if it is small enough, else its beginning. Nothing counts behind the last event of
 * a stream, which `isLast` knows by its bytes and some before it.
 */
export async function readHead(
  body: AnswerBody,
  { bytesMax, deadlines }: ReadLimits,
  isLast?: (end: Buffer) => boolean,
): Promise<BodyHead> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let end = Buffer.alloc(0);
  while (size <= bytesMax) {
    let piece: Uint8Array | undefined;
    try {
      piece = await body.read();
    } catch (failure) {
      if (isLast === undefined || deadlines.reason !== undefined) throw failure;
      return { bytes: Buffer.concat(pieces, size), ended: true, failure };
    }
    if (piece === undefined) return { bytes: Buffer.concat(pieces, size), ended: true };
    deadlines.touch("rest");
    pieces.push(piece);
    size += piece.byteLength;
    if (isLast === undefined) continue;
    end = Buffer.concat([end.subarray(-LAST_BYTES_MAX), piece]);
    if (!isLast(end)) continue;
    void passOver(body);
    return { bytes: Buffer.concat(pieces, size), ended: true };
  }
  return { bytes: Buffer.concat(pieces, size), ended: false };
}

/** Makes JSON of a stream, if it can. May throw (reject with) `ApiError` for a broken one. */
export type Gather = (events: Uint8Array) => ReturnType<AnswerBody["read"]>;

/** JSON in place of a stream, where one piece was asked for and `gather` can make it one. */
export async function gathered(
  stream: AnswerBody,
  gather: Gather,
  limits: ReadLimits,
): Promise<TypedAnswer> {
  const { bytes, ended, failure } = await readHead(stream, limits, hasLastEvent);
  const made = ended ? await gatheredOr(failure, () => gather(bytes)) : undefined;
  const body = new ReadBody(made ?? bytes, ended ? undefined : stream);
  const type = made === undefined ? "events" : "json";
  const contentType = made === undefined ? "text/event-stream" : "application/json";
  return { type, contentType, body };
}

/** What is made of a stream that may have broken off: throws its failure if it was not complete. */
async function gatheredOr<T>(
  failure: unknown,
  make: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  if (failure === undefined) return make();
  try {
    const made = await make();
    if (made !== undefined) return made;
  } catch {
    // It broke off before its end.
  }
  throw failure;
}
