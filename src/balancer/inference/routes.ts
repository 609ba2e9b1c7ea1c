import type { App } from "../../http/server/app.ts";
import { ROUTE_LIST } from "../../wire/route.ts";
import type { Pipeline } from "./pipeline.ts";

/** The inference routes: each request goes its way through the pipeline. */
export function routeInference(app: App, pipeline: Pipeline): void {
  for (const route of ROUTE_LIST) app.fast(route.path, (scope) => pipeline.answer(scope, route));
}
