import type { ApiError } from "../wire/error.ts";
import type { ServerEvent } from "../wire/sse.ts";

/**
 * How one request of a client is put to an endpoint that speaks another API, and how the answer
 * comes back. It is pure: what is asked, what is said in return; who sends and waits is not its
 * business. Making one throws `invalid_request` (with `param`) for what the other API cannot say.
 */
export interface Translation {
  /** Where to send it, of the endpoint's base URL: `/v1/chat/completions`. */
  path: string;
  /** The body for the endpoint; `model` as the client wrote it, whoever sends puts in its own. */
  body: Record<string, unknown>;
  /** Makes the client's answer of the endpoint's (JSON). Throws `upstream` if it is none. */
  answer(json: unknown): object;
  /** The client's answer where nobody needs to be asked: models of clouds need no loading. */
  known?: object;
  /** For an answer that comes as a stream of events; absent where there is none. */
  stream?(): StreamTranslation;
}

/**
 * Makes the client's stream of the endpoint's, event by event. Errors of either side inside a
 * stream are events too; a stream that the endpoint leaves unfinished must not look finished.
 */
export interface StreamTranslation {
  /** What the client gets; by default events. */
  readonly contentType?: string;
  /** What the client gets for one event of the endpoint; "" for nothing. */
  push(event: ServerEvent): string;
  /** What it gets when the endpoint's stream has ended: an error if it ended too early. */
  end(): string;
  /**
   * What it gets when the endpoint's stream breaks; "" if the answer is complete. Default: the
   * error in its dialect.
   */
  fail?(error: ApiError): string | undefined;
}
