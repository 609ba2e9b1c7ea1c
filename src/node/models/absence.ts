import { ApiError } from "../../wire/error.ts";
import type { PullJob } from "../sync/job.ts";
import type { ModelParts } from "./view.ts";

const RETRY_AFTER_S = 5;
const RETRY_AFTER_S_MAX = 60;

/**
 * Why a name means no model here, if there is a reason:
 *
 * 1. The model is being fetched: 503 `model_pulling`, with how far that is.
 * 2. It is wanted but could not be fetched: 503 with why.
 * 3. It is wanted and is going to be fetched, or the node has not heard yet what it shall have:
 *    503 `syncing`.
 * 4. Else undefined.
 */
export function absence(name: string, { catalog, pulls, sync }: Omit<ModelParts, "shelf">) {
  const wanted = sync?.wanted(name);
  const id = wanted?.id ?? name;
  const job = pulls.bringing(id) ?? pulls.bringing(name);
  if (job !== undefined) return pulling(name, job);
  const missing = wanted === undefined ? undefined : sync?.missing.get(wanted.id);
  if (missing !== undefined) {
    const { code, message } = missing.failure;
    const told = `The model ${name} is not on this node: ${message}`;
    return new ApiError("model_load_failed", told, { code, param: "model" });
  }
  // Nobody waits for what was not chosen, such as another quantization.
  if (wanted !== undefined && catalog.has(wanted.id)) return undefined;
  if (wanted === undefined && sync?.compared !== false) return undefined;
  const message = `The model ${name} is not on this node yet: the node is syncing its models with \
the balancer. Try again shortly.`;
  return new ApiError("unavailable", message, {
    ...{ code: "syncing", param: "model", retryAfterS: RETRY_AFTER_S },
  });
}

function pulling(name: string, job: PullJob): ApiError {
  const { bytes, total_bytes: total, eta_s: eta } = job.snapshot();
  const percent = total > 0 ? Math.floor((100 * bytes) / total) : 0;
  const waits = job.holder === undefined ? "" : `, waiting for ${job.holder} to have it`;
  const left = eta === null ? "" : `, about ${eta} s are left`;
  const message = `The model ${name} is being fetched: ${percent} %${left}${waits}. Try again \
then.`;
  const retryAfterS = Math.min(Math.max(eta ?? RETRY_AFTER_S, 1), RETRY_AFTER_S_MAX);
  return new ApiError("unavailable", message, {
    ...{ code: "model_pulling", param: "model", retryAfterS },
  });
}
