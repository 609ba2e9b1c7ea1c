import type { CachedAnswer, HubCache } from "../../db/state/hubcache.ts";

/** A cache of the hub's answers in memory, for one command. */
export class MemoryHubCache implements Pick<HubCache, "get" | "put" | "drop"> {
  readonly #answers = new Map<string, CachedAnswer>();

  async get(key: string): Promise<CachedAnswer | undefined> {
    return this.#answers.get(key);
  }

  async put(key: string, body: string, fetchedAt = Date.now()): Promise<void> {
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(key, { body, fetchedAt });
  }

  async drop(key: string): Promise<void> {
    this.#answers.delete(key);
  }
}

const ANSWERS_MAX = 100;
