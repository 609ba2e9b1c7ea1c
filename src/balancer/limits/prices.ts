import { fitsAny } from "../../auth/pattern.ts";
import type { Prices } from "../../db/state/prices.ts";
import type { PriceRow } from "../../db/state/schema.ts";
import type { TokenUsage } from "../record/usage.ts";

/**
 * What the models cost, by patterns of their names; the longest pattern that fits counts. Models
 * without a price cost nothing and count for no budget.
 */
export class PriceList {
  readonly #store: Prices;
  #rows: PriceRow[];
  /** By model; forgotten with each change. */
  readonly #found = new Map<string, PriceRow | undefined>();

  private constructor(store: Prices, rows: PriceRow[]) {
    this.#store = store;
    this.#rows = rows;
  }

  /** Reads the prices. Throws `StorageError`. */
  static async open(store: Prices): Promise<PriceList> {
    return new PriceList(store, await store.list());
  }

  get rows(): readonly PriceRow[] {
    return this.#rows;
  }

  /** Sets the price of the models that a pattern fits. */
  async set(row: PriceRow): Promise<void> {
    await this.#store.set(row);
    await this.#reload();
  }

  /** Takes a price away; false if there is none. */
  async remove(pattern: string): Promise<boolean> {
    const removed = await this.#store.remove(pattern);
    await this.#reload();
    return removed;
  }

  /** What a request cost, in millionths; null if its model has no price. */
  costMicros(model: string, usage: TokenUsage | undefined): number | null {
    if (this.#rows.length === 0) return null;
    const price = this.#priceOf(model);
    if (price === undefined) return null;
    const { input, output, cached } = usage ?? { input: 0, output: 0, cached: 0 };
    const hits = Math.min(cached ?? 0, input ?? 0);
    const fresh = (input ?? 0) - hits;
    // Prices are for a million tokens, so they are millionths for one.
    return Math.round(
      fresh * price.input + hits * (price.cached ?? price.input) + (output ?? 0) * price.output,
    );
  }

  #priceOf(model: string): PriceRow | undefined {
    if (this.#found.has(model)) return this.#found.get(model);
    const fitting = this.#rows.filter(({ pattern }) => fitsAny([pattern], model));
    const [best] = fitting.sort((a, b) => b.pattern.length - a.pattern.length);
    if (this.#found.size >= REMEMBERED_MAX) this.#found.clear();
    this.#found.set(model, best);
    return best;
  }

  async #reload(): Promise<void> {
    this.#rows = await this.#store.list();
    this.#found.clear();
  }
}

/** Clients choose the names of models. */
const REMEMBERED_MAX = 10_000;
