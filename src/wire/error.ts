/** The kinds of error, with HTTP status, OpenAI error type, and whether a retry may help. */
const KINDS = {
  invalid_request: { status: 400, type: "invalid_request_error", retryable: false },
  unauthorized: { status: 401, type: "authentication_error", retryable: false },
  forbidden: { status: 403, type: "permission_error", retryable: false },
  not_found: { status: 404, type: "not_found_error", retryable: false },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  method_not_allowed: { status: 405, type: "invalid_request_error", retryable: false },
  conflict: { status: 409, type: "invalid_request_error", retryable: false },
  body_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  unsupported_media_type: { status: 415, type: "invalid_request_error", retryable: false },
  /**
   * The model called a tool in a way that the client's API has no words for. Nobody else is asked:
   * it is not the endpoint's failure, so it must not be a status that is tried again.
   */
  tool_call_failed: { status: 422, type: "invalid_request_error", retryable: false },
  rate_limited: { status: 429, type: "rate_limit_error", retryable: true },
  /** Nothing that a client would wait for: the day or the month has to end. */
  quota_exceeded: { status: 429, type: "insufficient_quota", retryable: false },
  client_closed: { status: 499, type: "invalid_request_error", retryable: false },
  internal: { status: 500, type: "server_error", retryable: true },
  not_implemented: { status: 501, type: "server_error", retryable: false },
  upstream: { status: 502, type: "service_unavailable", retryable: true },
  misconfigured: { status: 502, type: "service_unavailable", retryable: false },
  engine_crashed: { status: 502, type: "service_unavailable", retryable: true },
  /** Asked of a model that only a request for an answer loads. */
  model_not_loaded: { status: 503, type: "service_unavailable", retryable: true },
  model_load_failed: { status: 503, type: "service_unavailable", retryable: false },
  unavailable: { status: 503, type: "service_unavailable", retryable: true },
  no_endpoint: { status: 503, type: "service_unavailable", retryable: true },
  /** The model never fits into this node's memory: no request makes room for it. */
  insufficient_memory: { status: 507, type: "server_error", retryable: false },
  /** The disk is full: no request makes room on it. */
  storage_full: { status: 507, type: "server_error", retryable: false },
  /** A database or a folder cannot be used: locked, read-only, damaged. */
  storage_unavailable: { status: 503, type: "service_unavailable", retryable: true },
  draining: { status: 503, type: "service_unavailable", retryable: true },
  timeout: { status: 504, type: "server_error", retryable: true },
  loop_detected: { status: 508, type: "service_unavailable", retryable: false },
} as const;

/** The code of a refusal because of the name that a server was called by; balancers explain it. */
export const HOST_NOT_ALLOWED = "host_not_allowed";

export type ErrorKind = keyof typeof KINDS;

interface ApiErrorOptions {
  /** Machine-readable code. Default: the kind. */
  code?: string | undefined;
  /** The request field that is wrong. */
  param?: string | undefined;
  /** Numbers beside it, as llama.cpp has them: `n_ctx`, `n_prompt_tokens`. */
  details?: Readonly<Record<string, number>> | undefined;
  /** Seconds the client should wait, sent as `Retry-After`. */
  retryAfterS?: number | undefined;
  /** The message for clients, where `message` has what only operators are to know. */
  clientMessage?: string | undefined;
  /** Further headers of its response. */
  headers?: Readonly<Record<string, string>> | undefined;
  cause?: unknown;
}

/**
 * An error with a status and a message for the client. Any code throws it; one place turns it into
 * a response (`http/server/app.ts`). The message says what was attempted, what is wrong, and what
 * to do.
 */
export class ApiError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
  readonly details: Readonly<Record<string, number>>;
  readonly retryable: boolean;
  readonly retryAfterS: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientMessage: string;

  constructor(kind: ErrorKind, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "ApiError";
    this.kind = kind;
    this.status = KINDS[kind].status;
    this.type = KINDS[kind].type;
    this.retryable = KINDS[kind].retryable;
    this.code = options.code ?? kind;
    this.param = options.param ?? null;
    this.details = options.details ?? {};
    this.retryAfterS = options.retryAfterS;
    this.headers = options.headers ?? {};
    this.clientMessage = options.clientMessage ?? message;
  }

  /** The same, of which operators are told all. */
  forOperators(): ApiError {
    if (this.clientMessage === this.message) return this;
    const { code, param, details, retryAfterS, headers, cause } = this;
    return new ApiError(this.kind, this.message, {
      ...{ code, param: param ?? undefined, details, retryAfterS, headers, cause },
    });
  }
}

/** What clients are told of an error that nobody expected. */
export const UNEXPECTED_MESSAGE =
  "The request failed: an unexpected error happened inside llmlb. Try again; if it stays, look for \
this request id in the log.";

/** The API in whose form an error is written, in bodies and inside a stream. */
export type Dialect = "openai" | "responses" | "anthropic" | "ollama";

const ANTHROPIC_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/**
 * The JSON body of an error: OpenAI's `{error: {message, type, code, param}}`, Anthropic's, or
 * Ollama's `{error: "…"}`.
 */
export function errorBody(error: ApiError, dialect: Dialect, requestId?: string): object {
  if (dialect === "anthropic") {
    const fallback = error.status < 500 ? "invalid_request_error" : "api_error";
    return {
      type: "error",
      error: { type: ANTHROPIC_TYPES[error.status] ?? fallback, message: error.clientMessage },
      ...(requestId === undefined ? {} : { request_id: requestId }),
    };
  }
  const { clientMessage: message, type, code, param, details } = error;
  return { error: dialect === "ollama" ? message : { message, type, code, param, ...details } };
}

/** The headers by which SDKs decide whether and when to send the request again. */
export function errorHeaders(error: ApiError): Record<string, string> {
  const headers: Record<string, string> = { ...error.headers };
  if (error.retryAfterS !== undefined) headers["retry-after"] = String(error.retryAfterS);
  // SDKs retry these by default.
  if (error.status === 409 || error.status >= 429) {
    headers["x-should-retry"] = String(error.retryable);
  }
  return headers;
}

/**
 * The last frame of a stream that fails after its first byte, in the stream's dialect. `number` is
 * the sequence number in a stream of the Responses API. There the fields of the error stand both in
 * the event, as OpenAI documents it, and in its `error`, as OpenAI sends it: clients read either.
 */
export function errorFrame(error: ApiError, dialect: Dialect, number = 0): string {
  const body = errorBody(error, dialect);
  switch (dialect) {
    case "ollama":
      return `${JSON.stringify(body)}\n`;
    case "openai":
      return `data: ${JSON.stringify(body)}\n\n`;
    case "anthropic":
      return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
    case "responses": {
      const { clientMessage: message, code, param } = error;
      const event = { type: "error", sequence_number: number, code, message, param, ...body };
      return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
    }
  }
}
