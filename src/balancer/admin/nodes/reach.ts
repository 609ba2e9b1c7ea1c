import { hostOf, isLoopbackHost } from "../../../lib/host.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { NodePrincipal } from "./principal.ts";

/** Whether a node can reach an endpoint: one on loopback is reached from the same machine only. */
export function canReach({ endpoint: node }: NodePrincipal, { facts }: Endpoint): boolean {
  const isNear = node === undefined || isLoopback(node.facts.url);
  return isNear || !isLoopback(facts.url);
}

function isLoopback(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && isLoopbackHost(hostOf(parsed));
}
