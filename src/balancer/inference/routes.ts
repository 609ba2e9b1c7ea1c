import type { App } from "../../http/server/app.ts";
import { ROUTE_LIST } from "../../wire/route.ts";
import type { Pipeline } from "./pipeline.ts";
import { type ResponseRouteParts, routeResponses } from "./responseroutes.ts";

/**
 * The inference routes: each request goes its way through the pipeline. Beside them those of what
 * upstreams keep of earlier requests.
 */
export function routeInference(app: App, pipeline: Pipeline, kept: ResponseRouteParts): void {
  for (const route of ROUTE_LIST) app.fast(route.path, (scope) => pipeline.answer(scope, route));
  routeResponses(app, kept);
}
