import type { Logger } from "../../lib/log.ts";
import { ApiError, type ErrorKind, errorBody, errorHeaders } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import { setRequestId } from "../proxy/headers.ts";
import { BODY_MEMORY_FULL } from "./bodymemory.ts";
import type { Scope } from "./scope.ts";

/** Errors of status 5xx that tell a state: nothing has failed, and balancers ask for these too. */
const STATES: readonly ErrorKind[] = ["not_implemented", "model_not_loaded"];

/** The error response of whatever a handler threw, which is logged as well. */
export function failureResponse(thrown: unknown, c: Scope, log: Logger): Response {
  const error = thrown instanceof ApiError ? thrown : unexpected(thrown);
  const fields = { request_id: c.get("requestId"), path: c.req.path, status: error.status };
  const isOurs = error.status >= 500 && !STATES.includes(error.kind);
  if (error.kind === "internal") log.error({ ...fields, err: thrown }, "http.error");
  else if (isOurs) {
    log.warn({ ...fields, code: error.code, message: error.message }, "http.error");
  } else log.debug({ ...fields, message: error.message }, "http.refused");
  return errorResponse(error, c);
}

/** The response for `error` in the shape of the client's API, with the headers that SDKs read. */
export function errorResponse(
  error: ApiError,
  c: Scope,
  more: Record<string, string> = {},
): Response {
  const requestId = c.get("requestId");
  const type = { "content-type": "application/json" };
  const headers = new Headers({ ...type, ...errorHeaders(error), ...more });
  if (requestId !== undefined) setRequestId(headers, requestId, c.req.path);
  // The rest of a body that nobody reads must not be taken for the next request.
  if (error.kind === "body_too_large" || error.code === BODY_MEMORY_FULL)
    headers.set("connection", "close");
  const body = errorBody(error, dialectOf(c.req.path), requestId);
  return new Response(JSON.stringify(body), { status: error.status, headers });
}

function unexpected(cause: unknown): ApiError {
  const message =
    "The request failed: an unexpected error happened inside llmlb. Try again; if it \
stays, look for this request id in the log.";
  return new ApiError("internal", message, { cause });
}
