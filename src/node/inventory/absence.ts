import { ApiError } from "../../wire/error.ts";
import type { PullJob } from "../sync/pulljob.ts";
import type { InventoryParts } from "./view.ts";

const RETRY_AFTER_S = 5;
const RETRY_AFTER_S_MAX = 60;

/**
 * Explains why this node has no model with a name:
 *
 * 1. The model is being pulled: 503 `model_pulling`, with the progress.
 * 2. It is assigned to this node but its pull failed: 503 with the reason.
 * 3. It is assigned and will be pulled, or the node has no list of its models yet: 503 `syncing`.
 * 4. Otherwise undefined: there is no such model.
 */
export function explainAbsence(
  name: string,
  { catalog, pulls, sync }: Pick<InventoryParts, "catalog" | "pulls" | "sync">,
): ApiError | undefined {
  const assigned = sync?.assigned(name);
  const id = assigned?.id ?? name;
  const job = pulls.pullsFor(id)[0] ?? pulls.pullsFor(name)[0];
  if (job !== undefined) return pullingError(name, job);
  const failure = assigned === undefined ? undefined : sync?.failures.errorOf(assigned.id);
  if (failure !== undefined) {
    const message = `The model ${name} is not on this node: ${failure.message}`;
    return new ApiError("model_load_failed", message, { code: failure.code, param: "model" });
  }
  // The model is here, but in another quantization: nothing will be pulled.
  if (assigned !== undefined && catalog.has(assigned.id)) return undefined;
  if (assigned === undefined && sync?.isReady !== false) return undefined;
  const message = `The model ${name} is not on this node yet: the node is syncing its models with \
the balancer. Try again shortly.`;
  return new ApiError("unavailable", message, {
    ...{ code: "syncing", param: "model", retryAfterS: RETRY_AFTER_S },
  });
}

function pullingError(name: string, job: PullJob): ApiError {
  const { bytes, total_bytes: total, eta_s: eta } = job.snapshot();
  const percent = total > 0 ? Math.floor((100 * bytes) / total) : 0;
  const waits = job.leaseHolder === undefined ? "" : `, waiting for ${job.leaseHolder} to have it`;
  const left = eta === null ? "" : `, about ${eta} s are left`;
  const message = `The model ${name} is being fetched: ${percent} %${left}${waits}. Try again \
then.`;
  const retryAfterS = Math.min(Math.max(eta ?? RETRY_AFTER_S, 1), RETRY_AFTER_S_MAX);
  return new ApiError("unavailable", message, {
    ...{ code: "model_pulling", param: "model", retryAfterS },
  });
}
