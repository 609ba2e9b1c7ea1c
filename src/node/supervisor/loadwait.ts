import { withDeadline } from "../../lib/deadline.ts";
import { ApiError } from "../../wire/error.ts";

/** Who waits for a load. */
export interface AcquireOptions {
  /** Aborted when the client disconnects. The load continues for others. */
  signal: AbortSignal;
  /** Longest wait for a load. */
  waitMs: number;
}

/** Waits for a load. Throws when the wait takes too long or the client leaves; the load goes on. */
export async function loadedInTime<T>(
  load: Promise<T>,
  label: string,
  { signal, waitMs }: AcquireOptions,
): Promise<T> {
  const outcome = await withDeadline(load, { timeoutMs: waitMs, signal });
  if (outcome === "aborted") {
    throw new ApiError("client_closed", "The client left while the model was loading.");
  }
  if (outcome === "timeout") {
    const message = `Loading ${label} takes longer than this request may wait. Try again later.`;
    throw new ApiError("unavailable", message, { code: "model_loading", retryAfterS: 10 });
  }
  return outcome;
}
