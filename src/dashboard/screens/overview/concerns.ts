import type { EndpointView } from "../../../wire/endpoint.ts";

/** Something that somebody should look at. */
export interface Concern {
  kind:
    | "endpoint_offline"
    | "endpoint_error"
    | "endpoint_request_error"
    | "circuit_open"
    | "key_unreadable";
  endpoint: EndpointView;
  /** Null: none is known. */
  reason: string | null;
  /** Requests fail or are not served because of it. */
  isBad: boolean;
}

type Facts = Omit<Concern, "endpoint">;

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
  if (circuit === "open") return { kind: "circuit_open", reason: null, isBad: true };
  if (status === "error") return { kind: "endpoint_error", reason: last_error, isBad: false };
  if (requestError !== null && requestError !== undefined) {
    return { kind: "endpoint_request_error", reason: requestError, isBad: false };
  }
  return undefined;
}
