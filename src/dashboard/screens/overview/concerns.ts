import type { EndpointView } from "../../../wire/endpoint.ts";

/** Something that somebody should look at. */
export interface Concern {
  kind:
    | "endpoint_offline"
    | "endpoint_error"
    | "endpoint_request_error"
    | "circuit_open"
    | "drained"
    | "key_unreadable";
  endpoint: EndpointView;
  /** Null: none is known. */
  reason: string | null;
  /** Requests fail or are not served because of it. */
  isBad: boolean;
}

type Facts = Omit<Concern, "endpoint">;

/** So many looks in a row at which requests wait are more than a moment. */
const WAITING_LOOKS = 10;

/** How many requests wait for a slot now, if some have all the time; else 0. */
export function waitingSince(series: readonly { queue_waiting: number }[]): number {
  const last = series.slice(-WAITING_LOOKS);
  const isLong = last.length === WAITING_LOOKS && last.every((one) => one.queue_waiting > 0);
  return isLong ? (last.at(-1)?.queue_waiting ?? 0) : 0;
}

/** What is wrong with endpoints, the worst first; at most one thing of each. */
export function concernsOf(endpoints: readonly EndpointView[]): Concern[] {
  const all = endpoints.flatMap((endpoint) => {
    const facts = concernOf(endpoint);
    return facts === undefined ? [] : [{ ...facts, endpoint }];
  });
  return all.sort((a, b) => Number(b.isBad) - Number(a.isBad));
}

function concernOf(endpoint: EndpointView): Facts | undefined {
  const { status, circuit, last_error, last_request_error: requestError } = endpoint;
  if (endpoint.api_key_unreadable) return { kind: "key_unreadable", reason: null, isBad: true };
  if (status === "offline" || (status === "pending" && last_error !== null)) {
    return { kind: "endpoint_offline", reason: last_error, isBad: true };
  }
  // Whoever drains it knows the rest, or need not mind.
  if (endpoint.draining) return { kind: "drained", reason: null, isBad: false };
  if (circuit === "open") return { kind: "circuit_open", reason: null, isBad: true };
  if (status === "error") return { kind: "endpoint_error", reason: last_error, isBad: false };
  if (requestError !== null && requestError !== undefined) {
    return { kind: "endpoint_request_error", reason: requestError, isBad: false };
  }
  return undefined;
}
