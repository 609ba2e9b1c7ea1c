/** When to stop waiting. */
export interface WaitOptions {
  /** Longest wait. Default: no limit. */
  timeoutMs?: number | undefined;
  /** Ends the wait once it is aborted, e.g. because the client has left. */
  signal?: AbortSignal | undefined;
}

/** Why a wait ended before what it waited for. */
export type WaitEnd = "timeout" | "aborted";

/**
 * Waits until `begin` settles it, the time is over or the signal is aborted. `begin` gets the
 * function to settle with and returns the one that gives up, which is called at time-out or abort.
 * `begin` is not called if the signal is aborted already.
 */
export function waitFor<T>(
  begin: (settle: (value: T | PromiseLike<T>) => void) => () => void,
  { timeoutMs, signal }: WaitOptions,
): Promise<T | WaitEnd> {
  const { promise, resolve } = Promise.withResolvers<T | WaitEnd>();
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

  function end(value: T | WaitEnd | PromiseLike<T>): void {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    resolve(value);
  }
  return promise;
}

/**
 * Settles as `promise` does, unless the time is over or the signal aborted before. What the promise
 * stands for goes on, and a later rejection of it is not reported.
 */
export function withDeadline<T>(promise: Promise<T>, options: WaitOptions): Promise<T | WaitEnd> {
  // Or else a rejection after the end of the wait would end the process.
  promise.catch(() => undefined);
  return waitFor<T>((settle) => {
    const onSettled = () => settle(promise);
    promise.then(onSettled, onSettled);
    return () => undefined;
  }, options);
}
