import { type InferenceRoute, ROUTE_LIST } from "../wire/route.ts";

/** The inference route with this path. Throws if there is none. */
export function routeAt(path: string): InferenceRoute {
  const route = ROUTE_LIST.find((one) => one.path === path);
  if (route === undefined) throw new Error(`There is no inference route ${path}.`);
  return route;
}
