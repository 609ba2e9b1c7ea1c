import { EngineLoadError } from "../../engine/launch.ts";
import { ApiError } from "../../wire/error.ts";
import type { Admission } from "./lifecycle.ts";

type Refused = Extract<Admission, { do: "refuse" }>;

/** The answer to a request for an engine that may not be started now. */
export function refusedError(label: string, { failure, retryAfterMs }: Refused): ApiError {
  if (failure.during === "load") {
    return loadError(label, new EngineLoadError(failure.reason, failure.message), retryAfterMs);
  }
  const retryAfterS = seconds(retryAfterMs ?? 0);
  const message = `The engine of ${label} ended unexpectedly several times in a row: it is started \
again in ${retryAfterS} s. If this goes on, look at the node's log.`;
  return new ApiError("unavailable", message, { code: "engine_crashed", retryAfterS });
}

/** 503 `model_load_failed` with the reason as its code. */
export function loadError(label: string, cause: EngineLoadError, retryAfterMs?: number): ApiError {
  const message = `The model ${label} could not be loaded. ${cause.message}`;
  return new ApiError("model_load_failed", message, {
    code: cause.reason,
    param: "model",
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterS: seconds(retryAfterMs) }),
  });
}

/** The answer to a request whose engine died under it. */
export function crashedError(label: string, cause: unknown): ApiError {
  const message = `The engine of ${label} ended unexpectedly while it worked on this request: it \
is started again by the next one. Try again.`;
  return new ApiError("engine_crashed", message, { cause });
}

/** Whatever a start of an engine threw, as a load failure. */
export function asLoadError(thrown: unknown): EngineLoadError {
  if (thrown instanceof EngineLoadError) return thrown;
  return new EngineLoadError("failed", String(thrown), thrown);
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
