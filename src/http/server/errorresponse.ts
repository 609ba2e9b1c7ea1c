import type { Logger } from "../../lib/log.ts";
import {
  ApiError,
  type ErrorKind,
  errorBody,
  errorHeaders,
  UNEXPECTED_MESSAGE,
} from "../../wire/error.ts";
import { dialectOf, isManagement } from "../../wire/route.ts";
import { faultOfFile, STORAGE_FAULTS } from "../../wire/storagefault.ts";
import { setRequestId } from "../proxy/headers.ts";
import { BODY_MEMORY_FULL } from "./bodymemory.ts";
import type { Scope } from "./scope.ts";

/** Errors of status 5xx that tell a state: nothing has failed, and balancers ask for these too. */
const STATES: readonly ErrorKind[] = ["not_implemented", "model_not_loaded", "draining"];

/** The error response of whatever a handler threw, which is logged as well. */
export function failureResponse(thrown: unknown, c: Scope, log: Logger): Response {
  const error = thrown instanceof ApiError ? thrown : (ofFile(thrown) ?? unexpected(thrown));
  c.set("failure", error);
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
  const { path } = c.req;
  const isTold = isManagement(path) && error.kind !== "internal";
  const shown = isTold ? error.forOperators() : error;
  const body = errorBody(shown, dialectOf(path), requestId);
  return new Response(JSON.stringify(body), { status: error.status, headers });
}

function unexpected(cause: unknown): ApiError {
  return new ApiError("internal", UNEXPECTED_MESSAGE, { cause });
}

/** A full disk, a file that may not be written, and the like; the system's message has its path. */
function ofFile(thrown: unknown): ApiError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, path } = thrown as NodeJS.ErrnoException;
  const fault = path === undefined && code !== "ENOSPC" ? undefined : faultOfFile(code);
  if (fault === undefined) return undefined;
  const { kind, clientMessage } = STORAGE_FAULTS[fault];
  const message = `Using a file failed: ${thrown.message}.`;
  return new ApiError(kind, message, { code: `storage_${fault}`, clientMessage, cause: thrown });
}
