import type { ApiError } from "../../../wire/error.ts";

/**
 * Changes a target's answer on its way to the client. Each answer has its own; answers that are
 * neither JSON nor event streams pass unchanged, unless they are errors.
 */
export interface Rewrite {
  /**
   * Changes a JSON answer in one piece, a long one in many turns of the event loop. May throw
   * (reject with) `ApiError` for one that makes no sense.
   */
  whole(bytes: Buffer, status: number): Rewritten | Promise<Rewritten>;
  /** Begins the change of a stream of events or JSON lines, according to its content type. */
  stream(type: string): StreamRewrite;
}

export interface Rewritten {
  bytes: Uint8Array;
  /** Default: the status of the target. */
  status?: number;
  /** Added to the headers of the target; they win. */
  headers?: Record<string, string>;
}

/** Changes one stream. It gets whole lines, except that very long ones come in pieces. */
export interface StreamRewrite {
  /** The content type for the client. Default: that of the target. */
  readonly contentType?: string | undefined;
  /**
   * A sign of life for the client while there is nothing else to send. It may stand between any
   * two results of `push`. Default: there is none.
   */
  readonly ping?: Uint8Array | undefined;
  /** The answer is complete with what was pushed: nothing behind that counts. Default: false. */
  readonly isOver?: boolean;
  /** It only looks for the end of what passes, which takes next to no time. Default: false. */
  readonly passes?: boolean;
  /**
   * Something is still to come, though the answer may be complete without it: if the stream breaks,
   * another one is asked for it before `finish`. Default: false.
   */
  readonly wantsMore?: boolean;
  /** The bytes to send in place of these, if any. Throws `ApiError` for a stream that is broken. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** The bytes to send at the stream's end, if any. Throws `ApiError` if that came too early. */
  end(): Uint8Array | undefined;
  /**
   * The last bytes of an answer that was complete before its stream broke; undefined: it was not.
   */
  finish?(): Uint8Array | undefined;
  /** The last bytes to send if the target's stream broke. Default: the error in the dialect. */
  fail?(error: ApiError): Uint8Array | undefined;
}
