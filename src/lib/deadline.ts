/** How long to wait for something, and for whom. */
export interface WaitOptions {
  /** Longest wait; default without end. */
  timeoutMs?: number | undefined;
  /** Of the client: when it leaves, nobody waits any more. */
  signal?: AbortSignal | undefined;
}

/**
 * Waits until what `begin` set up settles, the time is over or the client leaves. `begin` gets the
 * function to settle with and returns how to give up, which is called when time or client end it.
 */
export function waitFor<T>(
  begin: (settle: (value: T) => void) => () => void,
  { timeoutMs, signal }: WaitOptions,
): Promise<T | "timeout" | "aborted"> {
  const { promise, resolve } = Promise.withResolvers<T | "timeout" | "aborted">();
  if (signal?.aborted) {
    resolve("aborted");
    return promise;
  }
  const onAbort = () => {
    giveUp();
    end("aborted");
  };
  const onTimeout = () => {
    giveUp();
    end("timeout");
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
  const giveUp = begin(end);

  function end(value: T | "timeout" | "aborted"): void {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    resolve(value);
  }
  return promise;
}

/** Settles as `promise` does, or with "timeout" after `timeoutMs`. */
export function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T | "timeout"> {
  const late = Promise.withResolvers<"timeout">();
  const timer = setTimeout(() => late.resolve("timeout"), timeoutMs);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}
