/** Wakes a loop that waits between its rounds. A ring while it works is not lost. */
export class Notifier {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits for a ring, but no longer than `ms`, and not once `signal` is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
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
    this.#rung = false;
  }
}
