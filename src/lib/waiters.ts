import { type WaitEnd, type WaitOptions, waitFor } from "./deadline.ts";
import { LinkedList, ListItem } from "./linkedlist.ts";

class Waiter extends ListItem {
  readonly wake: () => void;

  constructor(wake: () => void) {
    super();
    this.wake = wake;
  }
}

/** Who waits to be woken, first come first (a condition variable). Nobody is woken twice. */
export class Waiters {
  readonly #list = new LinkedList<Waiter>();

  /** How many wait. */
  get size(): number {
    return this.#list.size;
  }

  /** Waits to be woken, or for the end that `options` set. Never throws. */
  wait(options: WaitOptions = {}): Promise<"woken" | WaitEnd> {
    return waitFor<"woken">((settle) => {
      const waiter = new Waiter(() => settle("woken"));
      this.#list.push(waiter);
      return () => this.#list.remove(waiter);
    }, options);
  }

  /** Wakes who has waited longest; false if nobody waits. */
  wakeFirst(): boolean {
    const waiter = this.#list.first;
    if (waiter === undefined) return false;
    this.#list.remove(waiter);
    waiter.wake();
    return true;
  }

  /** Wakes all who wait now. */
  wakeAll(): void {
    while (this.wakeFirst());
  }
}
