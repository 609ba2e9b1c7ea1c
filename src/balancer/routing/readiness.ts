import { type WaitOptions, waitFor } from "../../lib/deadline.ts";
import { LinkedList, ListItem } from "../../lib/linkedlist.ts";

/** How waiting for an endpoint to get ready ended. */
export type ReadyOutcome = "ready" | "capacity_exceeded" | "timeout" | "aborted";

class Waiter extends ListItem {
  readonly wake: () => void;

  constructor(wake: () => void) {
    super();
    this.wake = wake;
  }
}

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
  readonly #waiters = new LinkedList<Waiter>();

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Tells that something may have got ready; wakes nobody as long as nothing is. */
  notify(): void {
    if (!this.#isReady()) return;
    for (const waiter of this.#waiters) {
      this.#waiters.remove(waiter);
      waiter.wake();
    }
  }

  /** Waits until something is ready. Never throws. */
  waitForReady(waitersMax: number, options: WaitOptions = {}): Promise<ReadyOutcome> {
    if (this.#waiters.size + 1 > waitersMax) return Promise.resolve("capacity_exceeded");
    if (this.#isReady()) return Promise.resolve("ready");
    return waitFor<"ready">((settle) => {
      const waiter = new Waiter(() => settle("ready"));
      this.#waiters.push(waiter);
      return () => this.#waiters.remove(waiter);
    }, options);
  }
}
