import type { ErrorKind } from "./error.ts";

/** An upstream's error in our terms. */
export interface UpstreamErrorReport {
  kind: ErrorKind;
  message: string;
  /** The upstream's code, such as `context_length_exceeded`; undefined if it has none. */
  code: string | undefined;
  /** The field of the request that is wrong. */
  param: string | undefined;
  /** Seconds to wait, from the body; the caller reads the header `retry-after`. */
  retryAfterS: number | undefined;
}

/** The most characters of a message that are kept. */
const MESSAGE_CHARS_MAX = 2000;

/**
 * Reads an error of OpenAI (`{error: {message, type, code, param}}`), Anthropic (`{type: "error",
 * error: {type, message}}`), Google (`{error: {code, message, status, details}}`, in a list when
 * it streams), Ollama (`{error: "text"}`), FastAPI (`{detail}`) or of any other server. `status` is
 * that of the response; undefined for an error inside a stream, whose body decides.
 */
export function readUpstreamError(status: number | undefined, json: unknown): UpstreamErrorReport {
  const outer = record(Array.isArray(json) ? json[0] : json);
  const inner = record(outer.error);
  const text = [inner.message, outer.error, outer.message, outer.detail, json].find(isText);
  const details = Array.isArray(inner.details) ? inner.details.map(record) : [];
  const reason = details.map((detail) => detail.reason).find(isText);
  const codes = [reason, inner.status, inner.code, inner.type, outer.code].filter(isText);
  const kindIn = (kinds: Kinds) => codes.map((code) => kinds.get(code.toLowerCase())).find(Boolean);
  const bodyStatus = [inner.code, outer.code, outer.status].find(isStatus);
  const statusKind = status !== undefined && status >= 400 ? kindOfStatus(status) : undefined;
  return {
    kind:
      kindIn(KINDS_BY_CODE) ??
      statusKind ??
      kindIn(KINDS_WITHOUT_STATUS) ??
      kindOfStatus(bodyStatus),
    message: (text ?? "It did not say why.").trim().slice(0, MESSAGE_CHARS_MAX),
    code: [inner.code, reason, inner.status, inner.type, outer.code].find(isText)?.toLowerCase(),
    param: isText(inner.param) ? inner.param : undefined,
    retryAfterS: details.map((detail) => seconds(detail.retryDelay)).find((s) => s !== undefined),
  };
}

type Kinds = ReadonlyMap<string, ErrorKind>;

/** Codes that mean the same whatever the status. */
const KINDS_BY_CODE: Kinds = new Map<string, ErrorKind>([
  // Google answers 400 to an invalid key.
  ["api_key_invalid", "unauthorized"],
  ["invalid_api_key", "unauthorized"],
  ["model_not_found", "model_not_found"],
  ["insufficient_quota", "rate_limited"],
  ["overloaded_error", "unavailable"],
]);

/** Codes that count only without a status: OpenAI calls most errors `invalid_request_error`. */
const KINDS_WITHOUT_STATUS: Kinds = new Map<string, ErrorKind>([
  ["authentication_error", "unauthorized"],
  ["unauthenticated", "unauthorized"],
  ["permission_denied", "forbidden"],
  ["permission_error", "forbidden"],
  ["billing_error", "forbidden"],
  ["not_found", "not_found"],
  ["not_found_error", "not_found"],
  ["request_too_large", "body_too_large"],
  ["rate_limit_error", "rate_limited"],
  ["rate_limit_exceeded", "rate_limited"],
  ["resource_exhausted", "rate_limited"],
  ["unavailable", "unavailable"],
  ["deadline_exceeded", "timeout"],
  ["timeout_error", "timeout"],
  ["unimplemented", "not_implemented"],
  ["invalid_argument", "invalid_request"],
  ["failed_precondition", "invalid_request"],
  ["out_of_range", "invalid_request"],
  ["invalid_request_error", "invalid_request"],
]);

const KIND_OF_STATUS: Record<number, ErrorKind> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  408: "timeout",
  409: "conflict",
  413: "body_too_large",
  415: "unsupported_media_type",
  429: "rate_limited",
  501: "not_implemented",
  503: "unavailable",
  504: "timeout",
  507: "insufficient_memory",
  508: "loop_detected",
  529: "unavailable",
};

function kindOfStatus(status: number | undefined): ErrorKind {
  if (status === undefined) return "upstream";
  return KIND_OF_STATUS[status] ?? (status < 500 ? "invalid_request" : "upstream");
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Whether a value is a text for people: not a web page, which proxies answer with. */
function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && !value.trimStart().startsWith("<");
}

function isStatus(value: unknown): value is number {
  return typeof value === "number" && value >= 400 && value < 600;
}

/** Seconds, rounded up, of a duration as Google's APIs write it: `17s`, `0.5s`. */
function seconds(value: unknown): number | undefined {
  const [, digits] = /^(\d{1,6}(?:\.\d+)?)s$/.exec(isText(value) ? value : "") ?? [];
  return digits === undefined ? undefined : Math.ceil(Number(digits));
}
