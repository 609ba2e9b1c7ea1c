import type { Logger } from "../../lib/log.ts";
import { isTransient } from "./error.ts";

/** Rows that are to be written. */
export interface PendingWrites {
  /** Rows that are not on disk yet. */
  readonly pending: number;
  /** Rows lost since the start, because nothing could be written for too long. */
  readonly dropped: number;
  /** Writes now. False if nothing can be written: the rows go on waiting. */
  flush(): Promise<boolean>;
}

export interface WriteBehindOptions<T> {
  /** The queue's name in the log. */
  name: string;
  /** Writes items in one transaction, oldest first: all or none. Throws `StorageError`. */
  write(items: T[]): Promise<void>;
  /** About how much memory an item takes. */
  bytesOf(item: T): number;
  /** Makes one of two items with the same key. Default: the newer one. */
  merge?(older: T, newer: T): T;
  log: Logger;
  /** How long an item waits for others, to be written together. Default: 200 ms. */
  everyMs?: number;
  /** Most items in one transaction. Default: 1000. */
  batchMax?: number;
  /** Most items that wait while nothing can be written. Default: 20,000. */
  itemsMax?: number;
  /** Most memory that waiting items take. Default: 64 MiB. */
  bytesMax?: number;
}

/** Waiting times between attempts to write: each is twice the one before, up to the last. */
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 5000;
/** When too much waits, the oldest items are dropped until this part of the bound is left. */
const FILL_AFTER_DROP = 0.95;
const LOG_EVERY_MS = 60_000;

/**
 * Takes items without waiting and writes them later, in batches. `put` never fails: items that
 * cannot be written wait, and beyond the bound the oldest ones are dropped and counted.
 */
export class WriteBehindQueue<T> implements PendingWrites {
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

  get dropped(): number {
    return this.#dropped;
  }

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

  async flush(): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing;
    return this.#drain();
  }

  /** Tries once more to write what waits. What cannot be written is lost and counted. */
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

  /** Writes the items that wait now. Those that arrive meanwhile wait for others first. */
  async #writeAll(): Promise<boolean> {
    for (let left = this.#waiting.size; left > 0; ) {
      const batch = this.#take(left);
      left -= batch.size;
      try {
        await this.#write(batch, [...batch]);
      } catch (err) {
        this.#putBack(batch);
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
   * Writes entries and deletes them from `batch`. One item that the database refuses must not
   * block all others: halving the batch again and again finds it, and it is dropped.
   */
  async #write(batch: Map<string, T>, entries: [string, T][]): Promise<void> {
    try {
      await this.#options.write(entries.map(([, item]) => item));
    } catch (err) {
      if (isTransient(err)) throw err;
      if (entries.length > 1) {
        const half = Math.ceil(entries.length / 2);
        await this.#write(batch, entries.slice(0, half));
        await this.#write(batch, entries.slice(half));
        return;
      }
      this.#dropped += 1;
      this.#report(err, "storage.refused");
    }
    for (const [key] of entries) batch.delete(key);
  }

  #take(itemsMax: number): Map<string, T> {
    const count = Math.min(itemsMax, this.#options.batchMax);
    let batch = this.#waiting;
    if (count >= this.#waiting.size) {
      this.#waiting = new Map();
      this.#writingBytes = this.#waitingBytes;
    } else {
      batch = new Map();
      for (const [key, item] of this.#waiting) {
        if (batch.size === count) break;
        batch.set(key, item);
        this.#waiting.delete(key);
        this.#writingBytes += this.#options.bytesOf(item);
      }
    }
    this.#waitingBytes -= this.#writingBytes;
    this.#writingItems = batch.size;
    return batch;
  }

  #putBack(batch: Map<string, T>): void {
    const newer = this.#waiting;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    for (const [key, item] of batch) this.#set(key, item);
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

  /** Drops more than it must at once, since finding the oldest item of a map is not free. */
  #dropOldest(): void {
    if (this.#fill() <= 1) return;
    for (const [key, item] of this.#waiting) {
      if (this.#fill() <= FILL_AFTER_DROP) return;
      this.#waiting.delete(key);
      this.#waitingBytes -= this.#options.bytesOf(item);
      this.#dropped += 1;
    }
  }

  /** How full the queue is, by number of items or by memory; 1 is full. */
  #fill(): number {
    const { itemsMax, bytesMax } = this.#options;
    const items = (this.#waiting.size + this.#writingItems) / itemsMax;
    return Math.max(items, (this.#waitingBytes + this.#writingBytes) / bytesMax);
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#drain(), delayMs);
    // The timer need not keep the process alive: `close` writes what waits.
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
    const { name: queue } = this.#options;
    return { queue, waiting: this.pending, dropped: this.#dropped, ...more };
  }
}

/** The pending writes of several queues as one. */
export function pendingOf(queues: readonly PendingWrites[]): PendingWrites {
  return {
    get pending() {
      return queues.reduce((sum, queue) => sum + queue.pending, 0);
    },
    get dropped() {
      return queues.reduce((sum, queue) => sum + queue.dropped, 0);
    },
    async flush() {
      const written = await Promise.all(queues.map((queue) => queue.flush()));
      return written.every(Boolean);
    },
  };
}
