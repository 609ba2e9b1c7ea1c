import type { Kysely } from "kysely";
import type { PriceRow, StateSchema } from "./schema.ts";

/** The prices of models. Every query throws `StorageError`. */
export class Prices {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All prices, by pattern. */
  list(): Promise<PriceRow[]> {
    return this.#db.selectFrom("model_prices").selectAll().orderBy("pattern").execute();
  }

  /** Adds a price, or replaces the one of the same pattern. */
  async set(row: PriceRow): Promise<void> {
    const { pattern, ...price } = row;
    await this.#db
      .insertInto("model_prices")
      .values({ pattern, ...price })
      .onConflict((conflict) => conflict.column("pattern").doUpdateSet(price))
      .execute();
  }

  /** Removes a price; false if there is none. */
  async remove(pattern: string): Promise<boolean> {
    const query = this.#db.deleteFrom("model_prices").where("pattern", "=", pattern);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }
}
