import type { Registry } from "../../../registry/registry.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Holdings } from "./holdings.ts";

const RETRY_AFTER_S = 10;
const RETRY_AFTER_S_MAX = 60;

/** The 503 for a model that is registered but on no endpoint; undefined for any other model. */
export function absenceOf(
  model: string,
  { registry, holdings }: { registry: Registry; holdings: Holdings },
): ApiError | undefined {
  const resolved = registry.resolve(model);
  if (resolved === undefined) return undefined;
  const { id, quantization } = resolved;
  const { state, percent, etaS, error } = holdings.progress(id);
  if (state === "error") {
    const message = `The model \`${model}\` is registered, but no node has it: ${error ?? ""}`;
    return new ApiError("no_endpoint", message, { code: "model_unavailable", param: "model" });
  }
  if (state === "ready" && quantization !== undefined) {
    const message = `The model \`${model}\` cannot be used: nodes have chosen another quantization \
of ${id}. Register ${model.replace(/^hf\//, "")} by that name for nodes to fetch it, too.`;
    return new ApiError("no_endpoint", message, { code: "model_unavailable", param: "model" });
  }
  const left = etaS === null ? "" : `, about ${etaS} s are left`;
  const how =
    state === "caching"
      ? `being fetched by nodes: ${Math.floor(percent)} %${left}`
      : "registered, but no endpoint has it yet. Nodes fetch it when they are online";
  const retryAfterS = Math.min(Math.max(etaS ?? RETRY_AFTER_S, 1), RETRY_AFTER_S_MAX);
  return new ApiError("no_endpoint", `The model \`${model}\` is ${how}. Try again then.`, {
    ...{ code: state === "caching" ? "model_loading" : "no_endpoint", param: "model" },
    retryAfterS,
  });
}
