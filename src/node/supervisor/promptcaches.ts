import { promptCacheBytes } from "../../model/memory.ts";

const MIB = 1024 * 1024;
/** A smaller cache keeps nothing. */
const MIB_MIN = 16;
const NAMES = ["--cache-ram", "-cram"];

/**
 * Shares the host's memory for kept prompts among a node's engines. Each gets half of what the
 * engines that run have left, so that there is something for every one. The memory is measured
 * once, before any engine takes its own.
 */
export class PromptCaches {
  readonly #availableBytes: () => number;
  #budgetMib: number | undefined;
  readonly #granted = new Map<string, number>();

  constructor(availableBytes: () => number) {
    this.#availableBytes = availableBytes;
  }

  /**
   * llama-server's arguments for the cache of the engine with this key, which replace those that it
   * had before; none where the operator's arguments name its size.
   */
  argsFor(key: string, engineArgs: readonly string[]): string[] {
    this.release(key);
    if (engineArgs.some((arg) => NAMES.includes(arg))) return [];
    this.#budgetMib ??= Math.floor(promptCacheBytes(this.#availableBytes()) / MIB);
    const used = [...this.#granted.values()].reduce((sum, mib) => sum + mib, 0);
    const half = Math.floor((this.#budgetMib - used) / 2);
    const mib = half < MIB_MIN ? 0 : half;
    this.#granted.set(key, mib);
    return ["--cache-ram", String(mib)];
  }

  /** Takes an engine's part back: it has ended. */
  release(key: string): void {
    this.#granted.delete(key);
  }
}
