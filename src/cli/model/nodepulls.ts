import type { PullProgress, PullState } from "../../wire/pull.ts";
import type { ModelProgress, NodeModelState } from "../../wire/sync.ts";

/** What the nodes report of a model. */
export type NodeReports = ModelProgress["nodes"];

/** A failure reported this soon may be that of an earlier pull. */
const STALE_MS = 3000;
/** Longest wait for the first report of a node. */
const SILENT_MS_MAX = 30_000;

/**
 * Whether every node is finished with the model.
 *
 * 1. A node without a report is finished once `SILENT_MS_MAX` has passed.
 * 2. A node that has the model is finished.
 * 3. A node that failed is finished once `STALE_MS` has passed: the report may be an older one.
 * 4. Any other node is not.
 */
export function isFinished(reports: NodeReports, names: string[], elapsedMs: number): boolean {
  return names.every((name) => {
    const node = reports.find((one) => one.node === name);
    if (node === undefined) return elapsedMs >= SILENT_MS_MAX;
    if (node.state === "ready") return true;
    return (node.state === "failed" || node.state === "unusable") && elapsedMs >= STALE_MS;
  });
}

const STATES: Record<NodeModelState, PullState> = {
  waiting: "waiting",
  pulling: "downloading",
  ready: "done",
  failed: "failed",
  unusable: "failed",
};

/** The progress of all nodes as that of a pull, in which each node is a file. */
export function progressOfNodes({ model, nodes }: ModelProgress, names: string[]): PullProgress {
  const files = names.map((name) => {
    const node = nodes.find((one) => one.node === name);
    const { bytes = 0, total_bytes: total = 0 } = node?.progress ?? {};
    return { name, state: STATES[node?.state ?? "waiting"], bytes, total_bytes: total };
  });
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  const progress = nodes.flatMap((one) => one.progress ?? []);
  const etas = progress.flatMap(({ eta_s: eta }) => eta ?? []);
  return {
    model,
    state: progress.length > 0 ? "downloading" : "waiting",
    file: null,
    bytes: sum(files.map(({ bytes }) => bytes)),
    total_bytes: sum(files.map(({ total_bytes: total }) => total)),
    rate_bytes_per_s: sum(progress.map(({ rate_bytes_per_s: rate }) => rate)),
    eta_s: etas.length === 0 ? null : Math.max(...etas),
    files,
    error: null,
  };
}
