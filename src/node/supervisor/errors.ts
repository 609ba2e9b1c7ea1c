import { EngineLoadError } from "../../engine/loaderror.ts";
import { ApiError } from "../../wire/error.ts";
import type { UseDecision } from "./lifecycle.ts";

type Refusal = Extract<UseDecision, { do: "refuse" }>;

/** The answer to a request whose engine must not be started now. */
export function refusalError(label: string, { failure, retryAfterMs }: Refusal): ApiError {
  if (failure.during === "load") {
    return loadError(label, new EngineLoadError(failure.reason, failure.message), retryAfterMs);
  }
  const retryAfterS = seconds(retryAfterMs ?? 0);
  const message = `The engine of ${label} ended unexpectedly several times in a row: it is started \
again in ${retryAfterS} s. If this goes on, look at the node's log.`;
  return new ApiError("unavailable", message, { code: "engine_crashed", retryAfterS });
}

/** Somebody frees memory sooner or later. */
const NO_ROOM_RETRY_S = 10;

/** A worker that was restarted is there again in a few seconds. */
const WORKER_RETRY_MS = 5000;

/**
 * 503 `model_load_failed` with the reason as its code; 503 with `Retry-After` while others have the
 * memory or a worker is away, and 507, which nobody need try again, if it is too little.
 */
export function loadError(label: string, cause: EngineLoadError, retryAfterMs?: number): ApiError {
  if (cause.reason === "worker_unreachable") {
    const message = `The model ${label} cannot be loaded now. ${cause.message}`;
    const retryAfterS = seconds(retryAfterMs ?? WORKER_RETRY_MS);
    const options = { code: cause.reason, param: "model", retryAfterS, cause };
    return new ApiError("unavailable", message, options);
  }
  if (cause.reason === "no_room") {
    const options = { code: cause.reason, param: "model", retryAfterS: NO_ROOM_RETRY_S, cause };
    return new ApiError("unavailable", cause.message, options);
  }
  const message = `The model ${label} could not be loaded. ${cause.message}`;
  const options = { code: cause.reason, param: "model", cause };
  if (cause.reason === "too_large") return new ApiError("insufficient_memory", message, options);
  return new ApiError("model_load_failed", message, {
    ...options,
    ...(retryAfterMs === undefined ? {} : { retryAfterS: seconds(retryAfterMs) }),
  });
}

/** The answer to a request whose engine ended before the answer did. */
export function crashedError(label: string, cause: unknown, lostWorker?: string): ApiError {
  if (lostWorker !== undefined) {
    const message = `The engine of ${label} was ended while it worked on this request: its worker \
${lostWorker} is gone. The next request starts it again, once that is back.`;
    return new ApiError("engine_crashed", message, { code: "worker_lost", cause });
  }
  const message = `The engine of ${label} ended unexpectedly while it worked on this request: it \
is started again by the next one. Try again.`;
  return new ApiError("engine_crashed", message, { cause });
}

/** What a start of an engine threw, as an `EngineLoadError`. */
export function asLoadError(thrown: unknown): EngineLoadError {
  if (thrown instanceof EngineLoadError) return thrown;
  return new EngineLoadError("failed", String(thrown), thrown);
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
