import { Waiters } from "../lib/waiters.ts";

export interface TurnsOptions {
  /** Most that run at once. */
  running: number;
  /** Most that wait for their turn. */
  waiting: number;
  /** What who finds no place to wait is told. */
  full(): Error;
}

/** Lets work that takes much memory run a few at a time, in the order in which it came. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiters = new Waiters();
  #running = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Runs `work` when it is its turn. Rejects with what `full` makes if too many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { running, waiting, full } = this.#options;
    if (this.#running < running) this.#running += 1;
    else if (this.#waiters.size < waiting) await this.#waiters.wait();
    else throw full();
    try {
      return await work();
    } finally {
      // Who waits goes on in place of this one.
      if (!this.#waiters.wakeFirst()) this.#running -= 1;
    }
  }
}
