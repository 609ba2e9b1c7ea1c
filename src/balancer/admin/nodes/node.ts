import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** Whether an endpoint is a node of ours that takes models from this balancer. */
export function isNode({ facts: { source } }: Endpoint): boolean {
  return source === "node" || source === "local";
}

/** Names of the nodes that models can be assigned to. */
export function nodeNames({ endpoints }: UpstreamPool): string[] {
  return endpoints.filter(isNode).map(({ name }) => name);
}
