import type { Kysely } from "kysely";
import type { StateSchema } from "./schema.ts";

/** An answer of the hub. */
export interface CachedAnswer {
  /** JSON. */
  body: string;
  /** When it was fetched, in unix ms. */
  fetchedAt: number;
}

/** Most answers that are kept; the oldest ones are deleted first. */
const ANSWERS_MAX = 1000;
/** A longer answer is not kept. */
const BODY_CHARS_MAX = 8 * 2 ** 20;

/**
 * Answers of the hub: they save requests to it, and are there while it cannot be reached. Every
 * method throws `StorageError`.
 */
export class HubCache {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** The answer that is kept under a key. */
  async get(key: string): Promise<CachedAnswer | undefined> {
    const query = this.#db.selectFrom("hub_cache").selectAll().where("key", "=", key);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : { body: row.body, fetchedAt: row.fetched_at };
  }

  /** Keeps an answer (JSON, fetched at a time in unix ms), unless it is too long. */
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
      .limit(ANSWERS_MAX);
    await this.#db.deleteFrom("hub_cache").where("key", "not in", newest).execute();
  }

  /** Deletes the answer under a key. */
  async drop(key: string): Promise<void> {
    await this.#db.deleteFrom("hub_cache").where("key", "=", key).execute();
  }
}
