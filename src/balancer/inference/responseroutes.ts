import type { Settings } from "../../config/settings.ts";
import type { MadeResponse } from "../../db/history/records.ts";
import { forward } from "../../http/proxy/forward.ts";
import type { Hops } from "../../http/proxy/hops.ts";
import { ModelRewrite } from "../../http/proxy/rewrite/model.ts";
import type { App } from "../../http/server/app.ts";
import { type AppContext, callerOf } from "../../http/server/scope.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import type { Providers } from "../providers/providers.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { queryOf } from "./context.ts";
import { type KeptResponses, soleKeeper } from "./keptresponses.ts";
import { servedBy } from "./servedby.ts";

export interface ResponseRouteParts {
  kept: KeptResponses;
  hops: Hops;
  pool: UpstreamPool;
  providers: Pick<Providers, "find" | "fallbackOf">;
  settings: Pick<Settings, "firstByteTimeoutMs" | "idleTimeoutMs" | "servedBy">;
}

const PATH = ROUTES.responses.path;
const RETRY_AFTER_S = 5;

/**
 * The routes of responses that were made earlier: to get one, whole or as its stream, to delete or
 * cancel it, and to list what it was made of. They go to the upstream that made the response, as
 * they are and past the queue, because nothing is computed for them.
 */
export function routeResponses(app: App, parts: ResponseRouteParts): void {
  const routes = [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/cancel"],
    ["GET", "/input_items"],
  ] as const;
  for (const [method, tail] of routes) {
    app.on(method, `${PATH}/:id${tail}`, function passToMaker(c) {
      return pass(parts, c, { method, tail });
    });
  }
}

/** Throws 404 for a response that nobody keeps, 503 if its keeper is offline, else as `forward`. */
async function pass(
  parts: ResponseRouteParts,
  c: AppContext,
  { method, tail }: { method: string; tail: string },
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const response = await parts.kept.find(id);
  // Of a response that was not made through here, the only endpoint that keeps any may know.
  const maker =
    response === undefined ? soleKeeper(parts.pool.endpoints) : makerOf(response, parts);
  if (maker === undefined) throw notKept(id);
  if (maker instanceof Endpoint && maker.health.status === "offline") throw offline(id, maker);
  const model = response?.model ?? "";
  const name = model === "" ? "" : maker.modelName(parts.pool.idOf(model), model);
  const { firstByteTimeoutMs, idleTimeoutMs } = parts.settings;
  const { headers } = c.req.raw;
  const path = `${PATH}/${encodeURIComponent(id)}${tail}${queryOf(c.req.url)}`;
  const forwarded = await forward({
    target: parts.hops.onward(maker.target(path), headers),
    method,
    headers,
    body: null,
    requestId: c.get("requestId"),
    dialect: "responses",
    caller: callerOf(c),
    // What is deleted may be answered with nothing.
    checksAnswer: method !== "DELETE",
    answerHeaders: parts.settings.servedBy ? servedBy(maker, name) : undefined,
    rewrite: name === model ? undefined : new ModelRewrite(model),
    firstByteTimeoutMs,
    idleTimeoutMs,
  });
  c.set("sent", forwarded.sent);
  return forwarded.response;
}

/** The upstream that made a response, if it is still there. */
function makerOf(
  { upstreamId, model }: MadeResponse,
  { pool, providers }: ResponseRouteParts,
): Upstream | undefined {
  const endpoint = pool.get(upstreamId);
  if (endpoint !== undefined) return endpoint;
  const names = [model, pool.idOf(model)];
  const models = [...names.map((name) => providers.find(name)), providers.fallbackOf(model)];
  return models.find((one) => one?.id === upstreamId);
}

function notKept(id: string): ApiError {
  const message = `Response with id '${id.slice(0, 200)}' not found: no endpoint is known to keep \
it. Only endpoints that speak the Responses API themselves keep responses.`;
  return new ApiError("not_found", message, { code: "response_not_found" });
}

function offline(id: string, { name }: Endpoint): ApiError {
  const message = `Response with id '${id.slice(0, 200)}' cannot be reached now: the endpoint \
${name}, which keeps it, is offline. Try again shortly, or see GET /ready.`;
  return new ApiError("no_endpoint", message, { retryAfterS: RETRY_AFTER_S });
}
