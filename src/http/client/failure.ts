/** Why an exchange with a server failed, apart from what its statuses say. */
export type FailureCode =
  /** A bad address, or headers that cannot be sent. */
  | "bad_request"
  /** The request's own body broke off, or had another length than declared; see `cause`. */
  | "body"
  /** No connection could be made. */
  | "connect"
  /** The server's certificate is not valid for it. */
  | "certificate"
  /** The connection ended before the answer was complete. */
  | "broken"
  /** It took longer than the caller allowed. */
  | "timeout"
  /** The bytes were no HTTP/1.1 answer, or one that could be read in two ways. */
  | "malformed"
  /** A body was longer than the caller accepts. */
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

const WORDS: Record<string, string> = {
  ECONNREFUSED: "the connection was refused",
  ConnectionRefused: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name cannot be looked up: no name server answers",
  ETIMEDOUT: "nothing answers at its address",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its address",
};

/** Why the system could make no connection, or lost it, in words; undefined for other errors. */
export function connectionProblem(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? WORDS[code] : undefined;
}
