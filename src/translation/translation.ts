import type { ApiError } from "../wire/error.ts";
import type { ServerEvent } from "../wire/sse.ts";

/**
 * One client request in terms of another API, and the way back for its answer. It is pure: it says
 * what to send and turns what comes back into the client's answer; the caller sends and waits.
 * Functions that make one throw `invalid_request` (with `param`) for what the other API cannot
 * express.
 */
export interface Translation {
  /** Where to send the body, below the upstream's base URL. */
  path: string;
  /** The body for the upstream. The caller replaces `model`, the client's name for it. */
  body: Record<string, unknown>;
  /** Turns the upstream's answer (JSON) into the client's. Throws `upstream` if it cannot. */
  answer(json: unknown): object;
  /** The answer to requests for which no provider needs to be asked, such as loading a model. */
  fixedAnswer?: object;
  /** Starts the translation of an answer that streams; absent where answers never stream. */
  stream?(): StreamTranslation;
}

/**
 * Turns an upstream's stream into the client's, event by event. Errors are events of the client's
 * stream, too. A stream that the upstream leaves unfinished must not look finished.
 */
export interface StreamTranslation {
  /** The content type of the client's stream. Default: `text/event-stream`. */
  readonly contentType?: string;
  /** A sign of life that its clients pass over. Default: a comment between events. */
  readonly ping?: string | undefined;
  /** The client's stream is complete: what comes later is ignored. Default: false. */
  readonly isOver?: boolean;
  /** The client's text for one event of the upstream; "" for nothing. */
  push(event: ServerEvent): string;
  /** The client's text when the upstream's stream has ended: an error if that was too early. */
  end(): string;
  /** The client's text if all had been said before the stream broke; undefined: it had not. */
  finish?(): string | undefined;
  /**
   * The client's text when the upstream's stream breaks; "" if the answer is complete already.
   * Default: the error in the client's dialect.
   */
  fail?(error: ApiError): string | undefined;
}
