/** What an operator says about which nodes shall have a model. */
export interface Placement {
  id: string;
  /** Names of nodes; null: any. */
  nodes: readonly string[] | null;
  /** How many of them; null: all. */
  replicas: number | null;
}

/**
 * Whether a node shall have a model. Whether it has room for it, the node itself decides.
 *
 * 1. `nodes` names some, and this is none of them: no.
 * 2. No `replicas`, or no more nodes than that: yes.
 * 3. Else the `replicas` nodes whose names hash highest together with the model's id. So models
 *    spread over the nodes, and a node that comes or goes moves few of them.
 */
export function isAssigned(
  { id, nodes: allowed, replicas }: Placement,
  node: string,
  known: readonly string[],
): boolean {
  if (allowed !== null && !allowed.includes(node)) return false;
  if (replicas === null) return true;
  const candidates = new Set([...known.filter((one) => allowed?.includes(one) ?? true), node]);
  if (candidates.size <= replicas) return true;
  const ranked = [...candidates].sort((a, b) => {
    const [left, right] = [weight(id, a), weight(id, b)];
    if (left !== right) return left > right ? -1 : 1;
    return a < b ? -1 : 1;
  });
  return ranked.slice(0, replicas).includes(node);
}

function weight(id: string, node: string): bigint {
  return Bun.hash.wyhash(`${id}\n${node}`, 0n);
}
