import { waitFor } from "./deadline.ts";

/** Waits for `ms`. Throws the signal's reason as soon as it is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const end = await waitFor<never>(() => () => undefined, { timeoutMs: ms, signal });
  if (end === "aborted") throw signal.reason;
}
