import type { Logger } from "../../lib/log.ts";
import { isTransient } from "./error.ts";

export interface WriteBehindOptions<T> {
  /** Names it in the log. */
  name: string;
  /** Writes items in one transaction, oldest first: all or none. */
  write(items: T[]): Promise<void>;
  /** Memory that an item takes, about. */
  bytesOf(item: T): number;
  /** Of two items with the same key, what remains. Default: the newer one. */
  merge?(older: T, newer: T): T;
  log: Logger;
  /** Items wait at most this long for others to be written with. Default: 200 ms. */
  everyMs?: number;
  /** Most items in one transaction. Default: 1000. */
  batchMax?: number;
  /** Most items that wait while nothing can be written. Default: 20,000. */
  itemsMax?: number;
  /** Most memory that they take. Default: 64 MiB. */
  bytesMax?: number;
}

/** While nothing can be written, it is tried again after these times. */
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 5000;
/** When too much waits, it is dropped down to this part of the bound. */
const DROP_TO = 0.95;
const LOG_EVERY_MS = 60_000;

/**
 * Writes behind: takes items without waiting, writes them in batches. Nothing that happens to the
 * disk reaches the one who put an item: what cannot be written waits, and beyond the bound the
 * oldest items are dropped and counted.
 */
export class WriteBehindQueue<T> {
  readonly #options: Required<WriteBehindOptions<T>>;
  /** Oldest first. */
  #waiting = new Map<string, T>();
  #waitingBytes = 0;
  #writingItems = 0;
  #writingBytes = 0;
  #writing: Promise<boolean> | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #loggedAt = -Infinity;
  #dropped = 0;

  constructor(options: WriteBehindOptions<T>) {
    const { everyMs = 200, batchMax = 1000, itemsMax = 20_000, bytesMax = 2 ** 26 } = options;
    const { merge = (_, newer) => newer } = options;
    this.#options = { ...options, merge, everyMs, batchMax, itemsMax, bytesMax };
  }

  /** Items that could not be kept since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Items that are not on disk yet. */
  get pending(): number {
    return this.#waiting.size + this.#writingItems;
  }

  /** Takes an item; it replaces a waiting one with the same key, or is merged with it. */
  put(key: string, item: T): void {
    const { merge, batchMax, everyMs } = this.#options;
    const older = this.#waiting.get(key);
    this.#set(key, older === undefined ? item : merge(older, item));
    this.#dropOldest();
    if (this.#writing !== undefined || this.#failures > 0) return;
    if (this.#waiting.size >= batchMax) this.#drain();
    else this.#schedule(everyMs);
  }

  /** Writes what waits now; false if it could not be written, then it goes on waiting. */
  async flush(): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing;
    return this.#drain();
  }

  /** Tries once more to write what waits, then ends. */
  async close(): Promise<void> {
    const written = await this.flush();
    clearTimeout(this.#timer);
    if (written) return;
    this.#dropped += this.#waiting.size;
    this.#options.log.error(this.#fields({}), "storage.lost");
    this.#waiting.clear();
  }

  #drain(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.size > 0) this.#schedule(this.#delayMs());
    });
    return this.#writing;
  }

  #delayMs(): number {
    const { batchMax, everyMs } = this.#options;
    if (this.#failures === 0) return this.#waiting.size >= batchMax ? 0 : everyMs;
    return Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.min(this.#failures - 1, 10));
  }

  /** Writes what waits now; what comes in the meantime gets company first. */
  async #writeAll(): Promise<boolean> {
    for (let left = this.#waiting.size; left > 0; ) {
      const taken = this.#take(left);
      left -= taken.size;
      try {
        await this.#write(taken, [...taken]);
      } catch (err) {
        this.#putBack(taken);
        this.#failed(err);
        return false;
      } finally {
        this.#writingItems = 0;
        this.#writingBytes = 0;
      }
      if (this.#failures > 0) this.#options.log.info(this.#fields({}), "storage.recovered");
      this.#failures = 0;
    }
    return true;
  }

  /**
   * Writes entries and takes them out of `taken`. An item that the database refuses for what it
   * is must not keep all others out: it is found by halves.
   */
  async #write(taken: Map<string, T>, entries: [string, T][]): Promise<void> {
    try {
      await this.#options.write(entries.map(([, item]) => item));
    } catch (err) {
      if (isTransient(err)) throw err;
      if (entries.length > 1) {
        const half = Math.ceil(entries.length / 2);
        await this.#write(taken, entries.slice(0, half));
        await this.#write(taken, entries.slice(half));
        return;
      }
      this.#dropped += 1;
      this.#report(err, "storage.refused");
    }
    for (const [key] of entries) taken.delete(key);
  }

  #take(most: number): Map<string, T> {
    const count = Math.min(most, this.#options.batchMax);
    let taken = this.#waiting;
    if (count >= this.#waiting.size) {
      this.#waiting = new Map();
      this.#writingBytes = this.#waitingBytes;
    } else {
      taken = new Map();
      for (const [key, item] of this.#waiting) {
        if (taken.size === count) break;
        taken.set(key, item);
        this.#waiting.delete(key);
        this.#writingBytes += this.#options.bytesOf(item);
      }
    }
    this.#waitingBytes -= this.#writingBytes;
    this.#writingItems = taken.size;
    return taken;
  }

  #putBack(taken: Map<string, T>): void {
    const newer = this.#waiting;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    for (const [key, item] of taken) this.#set(key, item);
    for (const [key, item] of newer) {
      const older = this.#waiting.get(key);
      this.#set(key, older === undefined ? item : this.#options.merge(older, item));
    }
    this.#writingItems = 0;
    this.#writingBytes = 0;
    this.#dropOldest();
  }

  #set(key: string, item: T): void {
    const { bytesOf } = this.#options;
    const older = this.#waiting.get(key);
    if (older !== undefined) this.#waitingBytes -= bytesOf(older);
    this.#waiting.set(key, item);
    this.#waitingBytes += bytesOf(item);
  }

  /** Some more than needed at once: finding the oldest item of a map is not free. */
  #dropOldest(): void {
    if (this.#fill() <= 1) return;
    for (const [key, item] of this.#waiting) {
      if (this.#fill() <= DROP_TO) return;
      this.#waiting.delete(key);
      this.#waitingBytes -= this.#options.bytesOf(item);
      this.#dropped += 1;
    }
  }

  /** How much of what may wait is taken, by number or by memory; 1 is full. */
  #fill(): number {
    const { itemsMax, bytesMax } = this.#options;
    const items = (this.#waiting.size + this.#writingItems) / itemsMax;
    return Math.max(items, (this.#waitingBytes + this.#writingBytes) / bytesMax);
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#drain(), delayMs);
    // Whoever ends the process flushes first.
    this.#timer.unref();
  }

  #failed(err: unknown): void {
    this.#failures += 1;
    this.#report(err, "storage.unwritable");
  }

  #report(err: unknown, event: string): void {
    if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = performance.now();
    this.#options.log.warn(this.#fields({ err }), event);
  }

  #fields(more: object): object {
    const { name: lane } = this.#options;
    return { lane, waiting: this.pending, dropped: this.#dropped, ...more };
  }
}
