/** What is said about where a model shall be. */
export interface Placement {
  id: string;
  /** Names of nodes; null: any. */
  nodes: readonly string[] | null;
  /** How many of them; null: all. */
  replicas: number | null;
}

/**
 * Whether a node shall have a model, if it can hold it: whether it can is for the node to say.
 *
 * 1. `nodes` names some, and this is none of them: no.
 * 2. No `replicas`, or no more nodes than that: yes.
 * 3. Else the `replicas` nodes whose names hash highest together with the model's id. So models
 *    spread over the nodes, and a node that comes or goes moves few of them.
 */
export function isAssigned(
  { id, nodes: wanted, replicas }: Placement,
  node: string,
  known: readonly string[],
): boolean {
  if (wanted !== null && !wanted.includes(node)) return false;
  if (replicas === null) return true;
  const candidates = new Set([...known.filter((one) => wanted?.includes(one) ?? true), node]);
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
