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

/**
 * The whole body if it is small enough, else its beginning. Nothing counts behind the last event of
 * a stream, which `isLast` knows by its bytes and some before it.
 */
export async function readHead(
  body: AnswerBody,
  { bytesMax, deadlines }: ReadLimits,
  isLast?: (end: Buffer) => boolean,
): Promise<{ bytes: Buffer; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let end = Buffer.alloc(0);
  while (size <= bytesMax) {
    const piece = await body.read();
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

/** JSON in place of a stream, where one piece was asked for and `gather` can make it one. */
export async function gathered(
  stream: AnswerBody,
  gather: (events: Uint8Array) => Uint8Array | undefined,
  limits: ReadLimits,
): Promise<TypedAnswer> {
  const { bytes, ended } = await readHead(stream, limits, hasLastEvent);
  const made = ended ? gather(bytes) : undefined;
  const body = new ReadBody(made ?? bytes, ended ? undefined : stream);
  const type = made === undefined ? "events" : "json";
  const contentType = made === undefined ? "text/event-stream" : "application/json";
  return { type, contentType, body };
}
