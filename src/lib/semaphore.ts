import { Waiters } from "./waiters.ts";

/** A bounded number of permits, given in the order in which they are asked for. */
export class Semaphore {
  #free: number;
  readonly #waiters = new Waiters();

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Waits for a permit; disposing of it gives it back. Throws the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else if ((await this.#waiters.wait({ signal })) === "aborted") throw signal.reason;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#release();
        isHeld = false;
      },
    };
  }

  /** Who waits longest gets the permit; it becomes free only if nobody waits. */
  #release(): void {
    if (!this.#waiters.wakeFirst()) this.#free += 1;
  }
}
