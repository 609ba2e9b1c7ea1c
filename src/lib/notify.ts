/**
 * Wakes one loop that waits between its rounds. A notification while the loop works is kept for
 * its next wait, as one however many came (like tokio's `Notify`).
 */
export class Notify {
  #isNotified = false;
  #wake: (() => void) | undefined;

  /** Ends the wait that goes on, or else the next one. */
  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /** Waits for a notification, `ms` at most. Returns early if `signal` is aborted; never throws. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isNotified && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const onAbort = () => resolve();
      const timer = setTimeout(resolve, ms);
      this.#wake = resolve;
      signal.addEventListener("abort", onAbort, { once: true });
      await promise;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#wake = undefined;
    }
    this.#isNotified = false;
  }
}
