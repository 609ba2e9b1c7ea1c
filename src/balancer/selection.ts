import type { HealthStatus } from "./health.ts";

/** What selection looks at in an endpoint. */
export interface Candidate {
  readonly health: { readonly status: HealthStatus };
  /** Requests that the endpoint is working on for us. */
  readonly inFlight: number;
}

export interface SelectionOptions<T extends Candidate> {
  /** Endpoints that list the model, in a stable order. */
  candidates: readonly T[];
  /** Endpoints that this request has been to. */
  tried: readonly T[];
  /** Grows by one with every selection; breaks ties. */
  turn: number;
}

/**
 * Chooses the endpoint for a request, or undefined when there is none:
 *
 * 1. Endpoints that are not online, or that this request has been to, are out.
 * 2. Of the others, the one with the fewest requests in flight.
 * 3. Of several such, the first in round-robin order, starting at `turn`.
 */
export function select<T extends Candidate>(options: SelectionOptions<T>): T | undefined {
  const { candidates, tried, turn } = options;
  let best: T | undefined;
  for (let i = 0; i < candidates.length; i += 1) {
    const candidate = candidates[(turn + i) % candidates.length];
    if (candidate === undefined || candidate.health.status !== "online") continue;
    if (tried.includes(candidate)) continue;
    if (best === undefined || candidate.inFlight < best.inFlight) best = candidate;
  }
  return best;
}
