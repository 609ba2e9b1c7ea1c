import { get } from "../../http/client/get.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { ROUTE_LIST, type RouteName } from "../../wire/route.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { GetJsonOptions } from "../upstream/jsonclient.ts";
import { routesOfKind } from "../upstream/kind.ts";

const PROBED = ROUTE_LIST.filter(({ presence }) => presence === "probed");
const USUAL = ROUTE_LIST.filter(({ presence }) => presence === "usual");

/** Statuses of servers that do not have the route. */
const MISSING_STATUSES = new Set([404, 405, 501]);

/** Statuses for an invalid request, which only servers that have the route answer. */
const PRESENT_STATUSES = new Set([400, 415, 422]);

const ANSWER_BYTES_MAX = 64 * 1024;
const EMPTY = new TextEncoder().encode("{}");

/**
 * Finds out which inference routes an endpoint has besides chat completions. Each is sent an empty
 * object: a server that has the route answers that the request is invalid, others that there is no
 * such route. Never throws.
 */
export async function probeRoutes(
  endpoint: Endpoint,
  kind: EndpointKind,
  options: GetJsonOptions,
): Promise<Set<RouteName>> {
  const routes = new Set(routesOfKind(kind));
  if (kind === "llmlb") return routes;
  const status = ({ path }: { path: string }) => statusOf(endpoint, path, options);
  const [probed, usual] = await Promise.all([
    Promise.all(PROBED.map(status)),
    Promise.all(USUAL.map(status)),
  ]);
  for (const [i, { name }] of PROBED.entries())
    if (PRESENT_STATUSES.has(probed[i] ?? 0)) routes.add(name);
  for (const [i, { name }] of USUAL.entries())
    if (MISSING_STATUSES.has(usual[i] ?? 0)) routes.delete(name);
  return routes;
}

/** The status of the answer to an empty request; undefined if there is no answer. */
async function statusOf(
  endpoint: Endpoint,
  path: string,
  { timeoutMs, signal }: GetJsonOptions,
): Promise<number | undefined> {
  const { url, proxy, headers: own } = endpoint.target(path);
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const limitBytes = ANSWER_BYTES_MAX;
  try {
    const request = { url, proxy, headers, timeoutMs, limitBytes, signal, body: EMPTY };
    return (await get(request)).head.status;
  } catch {
    return undefined; // the next health check reports why
  }
}
