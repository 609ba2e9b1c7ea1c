import type { NodeView } from "../../../wire/node.ts";
import type { VersionsView } from "../../../wire/settings.ts";

/** What a version is told of, in the order in which it is shown. */
export const VERSION_PARTS = ["llmlb", "llama_cpp", "bun"] as const;
export type VersionPart = (typeof VERSION_PARTS)[number];

/** What of a node's versions is not what the balancer has; a part that it does not tell is not. */
export function differingParts(own: VersionsView, node: VersionsView): VersionPart[] {
  return VERSION_PARTS.filter((part) => node[part] !== null && node[part] !== own[part]);
}

/** The nodes that run something else than the balancer does. */
export function differingNodes(own: VersionsView, nodes: readonly NodeView[]): NodeView[] {
  return nodes.filter(({ versions }) => differingParts(own, versions).length > 0);
}
