/** Lets one caller at a time through, in the order of their calls. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits until the mutex is free and locks it; the returned function unlocks it. */
  async acquire(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    return resolve;
  }

  /** Runs `work` while it holds the mutex. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }
}
