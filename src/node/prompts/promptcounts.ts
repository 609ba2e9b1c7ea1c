/** What happened to the prompts of one model. */
export interface KeptCount {
  saved: number;
  restored: number;
  restoredTokens: number;
  damaged: number;
}

/** Models that are counted; they come and go while a node runs. */
const MODELS_MAX = 500;

/** Counts what happens to prompts on disk, by model. */
export class PromptCounts {
  readonly byModel = new Map<string, KeptCount>();

  saved(model: string): void {
    this.#of(model).saved += 1;
  }

  restored(model: string, tokens: number): void {
    const count = this.#of(model);
    count.restored += 1;
    count.restoredTokens += tokens;
  }

  damaged(model: string): void {
    this.#of(model).damaged += 1;
  }

  #of(model: string): KeptCount {
    const key = this.byModel.has(model) || this.byModel.size < MODELS_MAX ? model : "other";
    const known = this.byModel.get(key);
    if (known !== undefined) return known;
    const count = { saved: 0, restored: 0, restoredTokens: 0, damaged: 0 };
    this.byModel.set(key, count);
    return count;
  }
}
