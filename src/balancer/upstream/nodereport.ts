import type { NodeView } from "../../wire/node.ts";
import type { SystemReport } from "../health/systemreport.ts";

/** What a node runs with, as far as it told. */
export type NodeReport = Omit<NodeView, "endpoint_id" | "name" | "status" | "draining">;

/** Takes from a node's report what it runs with; undefined: it is no llmlb. */
export function nodeReportOf(report: SystemReport): NodeReport | undefined {
  const { llmlb_version: llmlb, bun_version, llama_cpp_version, backend } = report;
  if (llmlb === undefined) return undefined;
  const { skipped_backends = [], gpus = [], devices = [] } = report;
  return {
    versions: { llmlb, bun: bun_version ?? null, llama_cpp: llama_cpp_version ?? null },
    backend: backend ?? null,
    ...{ skipped_backends, gpus, devices },
  };
}
