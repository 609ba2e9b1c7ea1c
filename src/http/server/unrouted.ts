import type { Context, Hono } from "hono";
import { ApiError } from "../../wire/error.ts";
import { errorResponse } from "./errorresponse.ts";
import type { AppEnv } from "./scope.ts";

/** Most characters of an unknown path that the error repeats. */
const PATH_CHARS_MAX = 200;

/**
 * The response where no route fits: 404 for an unknown path, 405 for a known one with another
 * method, and for `OPTIONS` the list of methods (RFC 9110, 9.3.7).
 */
export function answerUnrouted(app: Hono<AppEnv>, c: Context<AppEnv>): Response {
  const { method, path } = c.req;
  const methods = app.routes
    .filter((route) => route.method !== "ALL" && matches(route.path, c.req.path))
    .flatMap((route) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method]))
    // A route's pattern may cover a path that its handler then refuses as not found.
    .filter((one) => one !== method);
  if (methods.length === 0) {
    const meant = similarRoute(app, path);
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
 * The route that a client with a wrong base URL probably means: its path has `/v1` twice or not at
 * all, something in front, or a slash too many.
 */
function similarRoute(app: Hono<AppEnv>, path: string): string | undefined {
  const clean = path.replace(/\/+/g, "/").replace(/\/$/, "");
  const isSimilar = (route: string) =>
    route !== "/" && (clean.endsWith(route) || route === `/v1${clean}`);
  const meant = app.routes.map((route) => route.path).filter(isSimilar);
  return meant.sort((a, b) => b.length - a.length)[0];
}

/**
 * Whether a route pattern (literal segments, `:name`, trailing `*`) covers a path. A trailing `*`
 * stands for at least one more segment.
 */
function matches(pattern: string, path: string): boolean {
  const expected = pattern.split("/");
  const actual = path.split("/");
  for (const [i, segment] of expected.entries()) {
    if (segment === "*") return actual[i] !== undefined;
    if (actual[i] === undefined) return false;
    if (!segment.startsWith(":") && segment !== actual[i]) return false;
  }
  return expected.length === actual.length;
}
