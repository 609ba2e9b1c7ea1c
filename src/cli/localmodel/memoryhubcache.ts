import type { CachedAnswer, HubCache } from "../../db/state/hubcache.ts";

/** What the hub told this process; more than one command asks for is not kept. */
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
