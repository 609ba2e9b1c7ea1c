/** What can go wrong between us and a server, below the level of statuses. */
export type FailureCode =
  /** An address that is none, or headers that cannot be sent. */
  | "bad_request"
  /** The request's own body broke off, or had another length than it said; see `cause`. */
  | "body"
  /** No connection could be made. */
  | "connect"
  /** The server's certificate does not vouch for it. */
  | "certificate"
  /** The connection ended before the answer was complete. */
  | "broken"
  /** It took longer than whoever asked would wait. */
  | "timeout"
  /** What came was no HTTP/1.1 answer, or one that could be read in two ways. */
  | "malformed"
  /** A body was longer than its reader accepts. */
  | "too_large";

/** A request that did not get a whole, well-formed answer. For logs, not for clients. */
export class ClientError extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ClientError";
    this.code = code;
  }
}
