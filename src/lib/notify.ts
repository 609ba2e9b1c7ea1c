import { Waiters } from "./waiters.ts";

/**
 * Wakes one loop that waits between its rounds. A notification while the loop works is kept for
 * its next wait, as one however many came (like tokio's `Notify`).
 */
export class Notify {
  #isNotified = false;
  readonly #waiters = new Waiters();

  /** Ends the wait that goes on, or else the next one. */
  notify(): void {
    this.#isNotified = true;
    this.#waiters.wakeAll();
  }

  /** Waits for a notification, `ms` at most. Returns early if `signal` is aborted; never throws. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isNotified) await this.#waiters.wait({ timeoutMs: ms, signal });
    this.#isNotified = false;
  }
}
