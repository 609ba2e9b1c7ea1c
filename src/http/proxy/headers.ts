import type { Dialect } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";

/**
 * Request headers that are forwarded to a target. This is a list of what passes, not of what is
 * withheld: an endpoint must not see a client's credentials, cookies, origin or addresses, nor a
 * header that nobody thought of.
 */
const FORWARDED = [
  "accept",
  "anthropic-beta",
  "anthropic-version",
  "content-type",
  "idempotency-key",
  "openai-beta",
  "traceparent",
  "tracestate",
  "user-agent",
] as const;

/**
 * Response headers that are not returned: those of one connection (RFC 9110, 7.6.1), those that we
 * set ourselves, those that would act on browsers in our name, and those that reveal which account
 * at a cloud the balancer uses.
 */
const NOT_RETURNED = new Set([
  "alt-svc",
  "anthropic-organization-id",
  "clear-site-data",
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "nel",
  "openai-organization",
  "openai-project",
  "proxy-authenticate",
  "proxy-connection",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "server",
  "service-worker-allowed",
  "set-cookie",
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-content-type-options",
  "x-llmlb-endpoint",
  "x-llmlb-model",
  "x-request-id",
]);

/**
 * Said of what streams: proxies in front send it on as it comes (nginx holds all of it back else),
 * and nobody keeps it.
 */
export const STREAM_HEADERS = { "cache-control": "no-cache", "x-accel-buffering": "no" } as const;

/**
 * The request headers that a target gets: the ones of the client that matter to inference, unless
 * its `Connection` names them as its own, then `own`, which win. Answers are asked for
 * uncompressed, so that bytes can pass untouched; those that come compressed nevertheless are
 * decoded.
 */
export function forwardedHeaders(
  client: Headers,
  requestId: string,
  own?: Record<string, string>,
): Record<string, string> {
  const out: Record<string, string> = { "accept-encoding": "identity", "x-request-id": requestId };
  const nominated = nominatedBy(client.get("connection") ?? "");
  for (const name of FORWARDED) {
    const value = client.get(name);
    if (value !== null && !nominated.has(name)) out[name] = value;
  }
  return own === undefined ? out : Object.assign(out, own);
}

/**
 * The response headers of a target (names in lower case, each followed by its value) that the
 * client gets, with our id of the request: not those of one connection, nor those that the target's
 * `Connection` names as such. Anthropic's clients read the id from `request-id`, where a target's
 * own one is kept: its operator is asked with it.
 */
export function returnedHeaders(
  target: string[],
  requestId: string,
  dialect: Dialect = "openai",
): Record<string, string> {
  const out: Record<string, string> = {
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
  };
  const nominated = nominatedBy(connectionOf(target));
  for (let i = 0; i < target.length; i += 2) {
    const name = target[i] ?? "";
    if (NOT_RETURNED.has(name) || nominated.has(name)) continue;
    if (name.startsWith("access-control-")) continue;
    const value = target[i + 1] ?? "";
    out[name] = Object.hasOwn(out, name) ? `${out[name]}, ${value}` : value;
  }
  if (dialect === "anthropic") out["request-id"] ??= requestId;
  return out;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * The headers that `Connection` names as those of one connection (RFC 9110, 7.6.1), in lower case.
 * A message that names an end-to-end header, such as `cache-control`, is wrong, and the header is
 * not passed on, as the RFC demands. Only `content-type` is: it tells forms from JSON and streams
 * from whole answers, for us and for the receiver. The framing cannot be affected, because we set
 * length and coding of each message ourselves, as all headers that we add.
 */
function nominatedBy(connection: string): ReadonlySet<string> {
  if (connection === "" || connection === "keep-alive" || connection === "close") return NONE;
  const names = new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
  names.delete("content-type");
  return names;
}

/** The value of all the lines of `Connection`, as one list. */
function connectionOf(target: string[]): string {
  let value = "";
  for (let i = 0; i < target.length; i += 2) {
    if (target[i] !== "connection") continue;
    value = value === "" ? (target[i + 1] ?? "") : `${value},${target[i + 1]}`;
  }
  return value;
}

/** Sets the request id in the headers of our own response; `path` is that of the request. */
export function setRequestId(headers: Headers, requestId: string, path: string): void {
  headers.set("x-request-id", requestId);
  if (dialectOf(path) === "anthropic") headers.set("request-id", requestId);
}
