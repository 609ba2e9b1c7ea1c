import type { WaitEnd, WaitOptions } from "../../lib/deadline.ts";
import { Waiters } from "../../lib/waiters.ts";

/** How waiting for an endpoint to get ready ended. */
export type ReadyOutcome = "ready" | "capacity_exceeded" | WaitEnd;

/**
 * Those who wait until something can serve at all, e.g. while the first endpoint starts:
 *
 * 1. More than `waitersMax` with this one: refused at once, even if something is ready.
 * 2. Something is ready: ready at once.
 * 3. Otherwise wait for `notify`, the end of the time, or the client's leaving.
 *
 * `notify` wakes all, first come first: being ready is no slot. Slots are handed over one by one
 * by the scheduler's queues, where those who are woken line up in the same order.
 */
export class Readiness {
  readonly #isReady: () => boolean;
  readonly #waiters = new Waiters();

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Tells that something may have got ready; wakes nobody as long as nothing is. */
  notify(): void {
    if (this.#isReady()) this.#waiters.wakeAll();
  }

  /** Waits until something is ready. Never throws. */
  async waitForReady(waitersMax: number, options: WaitOptions = {}): Promise<ReadyOutcome> {
    if (this.#waiters.size + 1 > waitersMax) return "capacity_exceeded";
    if (this.#isReady()) return "ready";
    const outcome = await this.#waiters.wait(options);
    return outcome === "woken" ? "ready" : outcome;
  }
}
