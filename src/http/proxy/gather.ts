import type { AnswerBody } from "../client/body.ts";
import { ReadBody, type TypedAnswer } from "./answertype.ts";
import type { Deadlines } from "./deadlines.ts";

/** How much of a body is read ahead, and whose time it takes. */
interface ReadLimits {
  bytesMax: number;
  deadlines: Deadlines;
}

/** The whole body if it is small enough, else its beginning. */
export async function readHead(
  body: AnswerBody,
  { bytesMax, deadlines }: ReadLimits,
): Promise<{ bytes: Buffer; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size <= bytesMax) {
    const piece = await body.read();
    if (piece === undefined) return { bytes: Buffer.concat(pieces, size), ended: true };
    deadlines.touch("rest");
    pieces.push(piece);
    size += piece.byteLength;
  }
  return { bytes: Buffer.concat(pieces, size), ended: false };
}

/** JSON in place of a stream, where one piece was asked for and `gather` can make it one. */
export async function gathered(
  stream: AnswerBody,
  gather: (events: Uint8Array) => Uint8Array | undefined,
  limits: ReadLimits,
): Promise<TypedAnswer> {
  const { bytes, ended } = await readHead(stream, limits);
  const made = ended ? gather(bytes) : undefined;
  const body = new ReadBody(made ?? bytes, ended ? undefined : stream);
  const type = made === undefined ? "events" : "json";
  const contentType = made === undefined ? "text/event-stream" : "application/json";
  return { type, contentType, body };
}
