import { Hono } from "hono";
import type { Logger } from "../../lib/log.ts";
import { ApiError, errorBody, errorHeaders } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import { tellRequestId } from "../proxy/headers.ts";
import { Door, type DoorOptions } from "./door.ts";
import { type FastHandler, FastPath } from "./fastpath.ts";
import { HostCheck } from "./host.ts";
import type { AppContext, AppEnv, Scope } from "./scope.ts";

export interface App extends Hono<AppEnv> {
  /** Answers `POST` on this path, which is written out; the router is asked only if it must be. */
  fast(path: string, handler: FastHandler): void;
}

/** How much of an unknown path is repeated. */
const PATH_CHARS_MAX = 200;

export interface AppOptions extends Omit<DoorOptions, "hosts"> {
  log: Logger;
  /** Whose names requests may call. Default: this machine's. */
  hosts?: HostCheck;
}

/**
 * An app with what every route shares: `x-request-id`, errors in the API's own shape for whatever
 * is thrown, unknown paths (404) and methods (405), and refusal of foreign host names, and of new
 * work while draining.
 */
export function createApp({ log, hosts = new HostCheck(), ...options }: AppOptions): App {
  const failed = (thrown: unknown, c: Scope) => errorResponse(clientError(thrown, c, log), c);
  const door = new Door({ hosts, ...options });
  const fastPath = new FastPath(door, failed);
  const app: App = Object.assign(new Hono<AppEnv>(), {
    fast(path: string, handler: FastHandler) {
      app.post(path, handler);
      fastPath.add(path, handler);
    },
  });

  app.use(async function passDoor(c, next) {
    const end = door.enter(c);
    try {
      await next();
    } finally {
      door.leave(c, c.res, end);
    }
  });

  app.onError(failed);
  app.notFound((c) => unrouted(app, c));
  fastPath.wrap(app);
  return app;
}

/** The error that a client gets for what was thrown; it is logged. */
function clientError(thrown: unknown, c: Scope, log: Logger): ApiError {
  const error = thrown instanceof ApiError ? thrown : unexpected(thrown);
  const fields = { request_id: c.get("requestId"), path: c.req.path, status: error.status };
  const isOurs = error.status >= 500 && error.kind !== "not_implemented";
  if (isOurs) log.error({ ...fields, err: thrown, cause: error.cause }, "http.error");
  else log.debug({ ...fields, message: error.message }, "http.refused");
  return error;
}

/** The response that tells a client of `error`, with the headers that SDKs read. */
function errorResponse(error: ApiError, c: Scope, more: Record<string, string> = {}): Response {
  const requestId = c.get("requestId");
  const type = { "content-type": "application/json" };
  const headers = new Headers({ ...type, ...errorHeaders(error), ...more });
  if (requestId !== undefined) tellRequestId(headers, requestId, c.req.path);
  // The rest of a body that nobody reads must not be taken for the next request.
  if (error.kind === "body_too_large") headers.set("connection", "close");
  const body = errorBody(error, dialectOf(c.req.path), requestId);
  return new Response(JSON.stringify(body), { status: error.status, headers });
}

function unexpected(cause: unknown): ApiError {
  const message =
    "The request failed: an unexpected error happened inside llmlb. Try again; if it \
stays, look for this request id in the log.";
  return new ApiError("internal", message, { cause });
}

/** 404 for an unknown path, 405 for a known one, and what `OPTIONS` asks for (RFC 9110, 9.3.7). */
function unrouted(app: App, c: AppContext): Response {
  const { method, path } = c.req;
  const methods = app.routes
    .filter((route) => route.method !== "ALL" && matches(route.path, c.req.path))
    .flatMap((route) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method]))
    // A route may cover a path and yet not take it: then this method is none that it has.
    .filter((one) => one !== method);
  if (methods.length === 0) {
    const meant = meantBy(app, path);
    const advice =
      meant === undefined
        ? "See GET /v1/models for what is served here."
        : `Did you mean ${meant}? Look at your client's base URL.`;
    const message = `Unknown route: ${method} ${path.slice(0, PATH_CHARS_MAX)}. ${advice}`;
    return errorResponse(new ApiError("not_found", message, { code: "unknown_route" }), c);
  }
  const allow = [...new Set(methods), "OPTIONS"].join(", ");
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const message = `Method ${method} is not allowed on ${path}: use ${allow}.`;
  return errorResponse(new ApiError("method_not_allowed", message), c, { allow });
}

/**
 * The route that a client with a wrong base URL asks for: one with `/v1` twice or not at all, with
 * something before it, or with a slash too many.
 */
function meantBy(app: App, path: string): string | undefined {
  const clean = path.replace(/\/+/g, "/").replace(/\/$/, "");
  const isMeant = (route: string) =>
    route !== "/" && (clean.endsWith(route) || route === `/v1${clean}`);
  const meant = app.routes.map((route) => route.path).filter(isMeant);
  return meant.sort((a, b) => b.length - a.length)[0];
}

/**
 * Whether a route pattern (literal segments, `:name`, trailing `*`) covers a path. What ends in `*`
 * is about what is below, not about what it hangs on.
 */
function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  for (const [i, segment] of wanted.entries()) {
    if (segment === "*") return given[i] !== undefined;
    if (given[i] === undefined) return false;
    if (!segment.startsWith(":") && segment !== given[i]) return false;
  }
  return wanted.length === given.length;
}
