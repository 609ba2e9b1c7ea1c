import { ALL, bytesIn, HOST, type Memory, mapMemory, sumOf, withMore } from "./memory.ts";

/** What is free now for engines, by memory. */
export interface MemoryReading {
  free: Memory;
  /** The size of memories that can be measured exactly: those of devices. */
  size: Memory;
}

export interface LedgerOptions {
  /** What the operator grants all engines together, in bytes; null: what was free at first. */
  setBytes: number | null;
  /** Reads anew: somebody else may have taken memory. */
  read(): Promise<MemoryReading>;
}

/** How much of each memory engines may have and what is left of it. */
export interface Balance {
  budget: Memory;
  /** What neither engines nor others have. */
  free: Memory;
  /** Memories of which nobody said how much it is. */
  guessed: ReadonlySet<string>;
}

/**
 * Who uses which memory: that of each device and the host's. The budget is
 *
 * | memory   | `--models-memory` is set    | it is not                                   |
 * |----------|-----------------------------|---------------------------------------------|
 * | together | as it says                  | not bounded                                 |
 * | a device | what was free at first, and more if others have left some since, up to its size |
 * | the host | not bounded by itself       | what was free at first                      |
 *
 * What others have taken since is subtracted from what is free.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #entries = new Map<string, Memory>();
  #first: Promise<MemoryReading> | undefined;
  #last: MemoryReading | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** What all engines have. */
  get used(): Memory {
    return sumOf(this.#entries.values());
  }

  get(key: string): Memory | undefined {
    return this.#entries.get(key);
  }

  set(key: string, memory: Memory): void {
    this.#entries.set(key, memory);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** What engines may have of each memory, as it was read last. */
  async budget(): Promise<Memory> {
    const first = await this.#firstOnce();
    return this.#budgetOf(first, this.#last ?? first, this.used);
  }

  /** Reads what is free now. */
  async balance(): Promise<Balance> {
    const isFirst = this.#first === undefined;
    const first = await this.#firstOnce();
    const now = isFirst ? first : await this.#options.read();
    this.#last = now;
    const { used } = this;
    const budget = this.#budgetOf(first, now, used);
    const free = mapMemory(budget, (bytes, name) => {
      const left = bytes - bytesIn(used, name);
      return Math.min(left, now.free[name] ?? left);
    });
    return { budget, free, guessed: new Set(Object.keys(budget).filter((name) => name !== ALL)) };
  }

  #firstOnce(): Promise<MemoryReading> {
    this.#first ??= this.#readFirst();
    return this.#first;
  }

  /** What engines have already, those of another process, was free before them. */
  async #readFirst(): Promise<MemoryReading> {
    const { used } = this;
    const { free, size } = await this.#options.read();
    return { free: withMore(free, used), size };
  }

  #budgetOf(first: MemoryReading, now: MemoryReading, used: Memory): Memory {
    const { setBytes } = this.#options;
    const budget: Record<string, number> = {};
    for (const [name, bytes] of Object.entries(first.free)) {
      if (name === HOST && setBytes !== null) continue;
      const size = now.size[name];
      const left = size === undefined ? 0 : bytesIn(used, name) + (now.free[name] ?? 0);
      budget[name] = Math.max(0, Math.min(size ?? bytes, Math.max(bytes, left)));
    }
    return setBytes === null ? budget : { ...budget, [ALL]: setBytes };
  }
}
