import type { Kysely } from "kysely";
import type { StateSchema } from "../schema.ts";

/** What the hub answered, and when. */
export interface CachedAnswer {
  /** JSON. */
  body: string;
  /** Unix ms. */
  fetchedAt: number;
}

/** Answers that are kept; the oldest make room. */
const ROWS_MAX = 1000;
/** A longer answer is not kept. */
const BODY_CHARS_MAX = 8 * 2 ** 20;

/** What the hub told, so that it needs not be asked again, and is known while it is out. */
export class HubCache {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    const query = this.#db.selectFrom("hub_cache").selectAll().where("key", "=", key);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : { body: row.body, fetchedAt: row.fetched_at };
  }

  async put(key: string, body: string, fetchedAt = Date.now()): Promise<void> {
    if (body.length > BODY_CHARS_MAX) return;
    const columns = { body, fetched_at: fetchedAt };
    await this.#db
      .insertInto("hub_cache")
      .values({ key, ...columns })
      .onConflict((conflict) => conflict.column("key").doUpdateSet(columns))
      .execute();
    const newest = this.#db
      .selectFrom("hub_cache")
      .select("key")
      .orderBy("fetched_at", "desc")
      .limit(ROWS_MAX);
    await this.#db.deleteFrom("hub_cache").where("key", "not in", newest).execute();
  }

  /** Forgets one answer. */
  async drop(key: string): Promise<void> {
    await this.#db.deleteFrom("hub_cache").where("key", "=", key).execute();
  }
}
