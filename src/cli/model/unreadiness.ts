import type { RegisteredModel } from "../../wire/registry.ts";
import type { ModelProgress } from "../../wire/sync.ts";
import { shellWord } from "../terminal/shellword.ts";

/** Why a registered model is not ready, as the nodes reported; undefined if it is. */
export function whyNotReady(
  { ready, status }: Pick<RegisteredModel, "ready" | "status">,
  nodes: ModelProgress["nodes"],
): string | undefined {
  if (ready) return undefined;
  if (status === "pending") return "the hub was not asked for it yet";
  const reasons = nodes.map((one) => `${one.node}: ${reasonOf(one)}`);
  return reasons.length > 0 ? reasons.join("; ") : "no node that is online has it, or fetches it";
}

/** What to do about a model that is too large for every node; undefined: nothing is known. */
export function workerAdvice(
  id: string,
  { proposed_workers: workers }: Pick<ModelProgress, "proposed_workers">,
): string | undefined {
  if (workers === undefined) return undefined;
  const command = `llmlb model set ${shellWord(id)} --workers ${shellWord(workers.join(","))}`;
  return `it fits no node, but it would with the devices of ${workers.join(" and ")}: ${command}`;
}

function reasonOf({ state, progress, error }: ModelProgress["nodes"][number]): string {
  switch (state) {
    case "pulling": {
      const { bytes = 0, total_bytes: total = 0 } = progress ?? {};
      return total > 0 ? `fetches it, ${Math.floor((100 * bytes) / total)} %` : "fetches it";
    }
    case "waiting":
      return error?.message ?? "waits to fetch it";
    case "ready":
      return "has it, and will list it shortly";
    case "failed":
    case "unusable":
      return error?.message ?? "failed to fetch it";
  }
}
