import { get } from "../../http/client/get.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { ROUTE_LIST, type RouteName } from "../../wire/route.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { GetJsonOptions } from "../upstream/jsonclient.ts";
import { routesOfKind } from "../upstream/kind.ts";

const PROBED = ROUTE_LIST.filter(({ presence }) => presence === "probed");
const USUAL = ROUTE_LIST.filter(({ presence }) => presence === "usual");

/** What servers answer on a path that they do not have. */
const LACKING = new Set([404, 405, 501]);

/** An answer of the kind "your request lacks something", which only who knows the route gives. */
const KNOWN = new Set([400, 415, 422]);

const ANSWER_BYTES_MAX = 64 * 1024;
const EMPTY = new TextEncoder().encode("{}");

/**
 * Finds out which inference routes an endpoint has besides chat completions, by sending each an
 * empty object: who has it complains about that, who has it not says so. Never throws.
 */
export async function detectRoutes(
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
  for (const [i, { name }] of PROBED.entries()) if (KNOWN.has(probed[i] ?? 0)) routes.add(name);
  for (const [i, { name }] of USUAL.entries()) if (LACKING.has(usual[i] ?? 0)) routes.delete(name);
  return routes;
}

/** What an endpoint answers to an empty request; undefined: nothing. */
async function statusOf(
  endpoint: Endpoint,
  path: string,
  { timeoutMs, signal }: GetJsonOptions,
): Promise<number | undefined> {
  const { url, proxy, headers: own } = endpoint.target(path);
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const limitBytes = ANSWER_BYTES_MAX;
  try {
    const asked = { url, proxy, headers, timeoutMs, limitBytes, signal, body: EMPTY };
    return (await get(asked)).head.status;
  } catch {
    return undefined; // The next health check tells why.
  }
}
