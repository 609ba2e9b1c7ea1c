import type { ErrorKind } from "../../wire/error.ts";
import { ApiError } from "../../wire/error.ts";
import type { Monitor } from "../health/monitor.ts";
import type { AvailabilityWaiters } from "../routing/availability.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { EndpointSlot } from "../upstream/endpointslot.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { clientLeft } from "./errors.ts";
import type { PoolRequest, PoolSlots } from "./poolslots.ts";

export interface ComebackParts {
  pool: Pick<UpstreamPool, "endpoints">;
  monitor: Pick<Monitor, "checkSoon">;
  availability: AvailabilityWaiters;
  slots: Pick<PoolSlots, "acquire" | "msUntil">;
}

/** What says that nobody is there, not that they are busy. */
const NOBODY = new Set<ErrorKind>(["no_endpoint", "model_not_found"]);

/**
 * A slot where a stream that broke goes on, or why there is none:
 *
 * 1. that of an endpoint that has not failed it since the break;
 * 2. else of one that did, as soon as a check that ended after this call finds it well again: a
 *    server that was restarted, or the node of an engine that crashed;
 * 3. none, if none came until `untilMs` (the clock of the routing), or none can: all were removed,
 *    or are drained.
 *
 * Takes those from the request's `tried` that are well again.
 */
export async function comeback(
  { pool, monitor, availability, slots }: ComebackParts,
  request: PoolRequest,
  untilMs: number,
): Promise<EndpointSlot | ApiError> {
  const sinceMs = Date.now();
  const { client, requirement, modelId } = request.context;
  const mayCome = (one: Endpoint) => {
    const has = request.tried.includes(one) || one.served.has(modelId);
    return has && !one.isDraining && requirement?.isMetBy(one, modelId) !== false;
  };
  for (let isFirst = true; ; isFirst = false) {
    const acquired = await slots.acquire(request);
    if (!(acquired instanceof ApiError) || !NOBODY.has(acquired.kind)) return acquired;
    const timeoutMs = slots.msUntil(untilMs);
    if (availability.isClosed || timeoutMs <= 0) return acquired;
    const awaited = pool.endpoints.filter(mayCome);
    if (awaited.length === 0) return acquired;
    if (isFirst) for (const endpoint of awaited) monitor.checkSoon(endpoint);
    const outcome = await availability.next({ timeoutMs, signal: client.signal });
    if (outcome === "aborted") return clientLeft();
    if (outcome !== "ready") return acquired;
    request.tried = request.tried.filter(({ lastCheck: { lastSeenAt } }) => {
      return lastSeenAt === null || lastSeenAt < sinceMs;
    });
  }
}
