import type { PullStep } from "../../../wire/event.ts";
import { type ModelProgress, NodeModelState } from "../../../wire/sync.ts";

/** One node and a model that it fetches, has, or could not fetch. */
export interface PullRow
  extends Pick<PullStep, "bytes" | "total_bytes" | "rate_bytes_per_s" | "eta_s" | "error"> {
  node: string;
  state: NodeModelState;
}

/** The nodes with a model by name: as they were asked, with what they have told since. */
export function pullRows({ nodes }: ModelProgress, steps: readonly PullStep[]): PullRow[] {
  const told = new Map(steps.map((step) => [step.endpoint_name, step]));
  const rows = nodes.map(({ node, state, progress, error }): PullRow => {
    const { bytes = 0, total_bytes = 0, rate_bytes_per_s = 0, eta_s = null } = progress ?? {};
    return {
      ...{ node, state, bytes, total_bytes, rate_bytes_per_s, eta_s },
      error: error?.message ?? null,
    };
  });
  const merged = rows.map((row) => {
    const step = told.get(row.node);
    told.delete(row.node);
    return step === undefined ? row : rowOf(step);
  });
  return [...merged, ...[...told.values()].map(rowOf)].sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** A newer llmlb may know more states. */
const KnownState = NodeModelState.catch("waiting");

function rowOf({ endpoint_name: node, ...step }: PullStep): PullRow {
  const { bytes, total_bytes, rate_bytes_per_s, eta_s, error } = step;
  const state = KnownState.parse(step.state);
  return { node, state, bytes, total_bytes, rate_bytes_per_s, eta_s, error };
}
