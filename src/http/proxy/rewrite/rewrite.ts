import type { ApiError } from "../../../wire/error.ts";

/**
 * Makes another answer of a target's on its way to the client. One for each answer; answers that
 * are neither JSON nor event streams pass as they are, unless they are errors.
 */
export interface Rewrite {
  /** Of an answer in one piece, JSON then. May throw `ApiError` for one that makes no sense. */
  whole(bytes: Buffer, status: number): Rewritten;
  /** Of a stream of events, or of JSON lines, as its content type tells. */
  stream(type: string): StreamRewrite;
}

export interface Rewritten {
  bytes: Uint8Array;
  /** Default: the target's. */
  status?: number;
  /** In addition to the target's, or in place of those. */
  headers?: Record<string, string>;
}

/** Of a stream of events: whole lines as a rule, in pieces only where they are very long. */
export interface StreamRewrite {
  /** What the client is told that it gets; default: as the target says. */
  readonly contentType?: string | undefined;
  /** What to send for these bytes, if anything. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** What to send at the stream's end, if anything. */
  end(): Uint8Array | undefined;
  /** What to send last where the target's stream broke; default: the error in its dialect. */
  fail?(error: ApiError): Uint8Array | undefined;
}
