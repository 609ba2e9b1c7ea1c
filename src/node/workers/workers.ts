import type { EngineLoadError } from "../../engine/loaderror.ts";
import type { Launch } from "../supervisor/engineoptions.ts";
import { lentDevice } from "../supervisor/room/lent.ts";
import { type Memory, totalOf } from "../supervisor/room/memory.ts";
import type { WorkerDirectory } from "./directory.ts";
import { workerFailure } from "./error.ts";
import { launchOverWorkers, workerLoadError } from "./launch.ts";
import { offerOf } from "./offer.ts";

export interface WorkersOptions {
  directory: WorkerDirectory;
  /** The name of this node, for the workers. */
  head: string;
}

/** What a node's engines need of the nodes that lend their devices. */
export class Workers {
  readonly #options: WorkersOptions;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Starts engines as `launch` does, over these workers' devices as well. */
  launchOver(workers: readonly string[], launch: Launch): Launch {
    const { directory, head } = this.#options;
    const others = this.#others(workers);
    return others.length === 0
      ? launch
      : launchOverWorkers({ directory, workers: others, head, launch });
  }

  /**
   * The free memory of the workers' devices, by the names that llama.cpp will give them. Throws
   * `EngineLoadError` if one of them lends nothing: then no room need be made here.
   */
  async lent(
    workers: readonly string[],
    { modelPath, signal }: { modelPath: string; signal: AbortSignal },
  ): Promise<Memory> {
    const offers = await Promise.all(
      this.#others(workers).map((name) => this.#offer(name, modelPath, signal)),
    );
    const devices = offers.flatMap((offer) => offer.devices);
    return Object.fromEntries(
      devices.map(({ free_memory_bytes }, i) => [lentDevice(i), free_memory_bytes]),
    );
  }

  /** The sum of it, in bytes, as far as they can be asked; 0 for a model without workers. */
  async lentBytes(workers: readonly string[], signal: AbortSignal): Promise<number> {
    if (workers.length === 0) return 0;
    return totalOf(await this.lent(workers, { modelPath: "", signal }).catch(() => ({})));
  }

  /** Without this node itself: what the registry says of a model is for all that have it. */
  #others(workers: readonly string[]): readonly string[] {
    return workers.filter((name) => name !== this.#options.head);
  }

  async #offer(name: string, modelPath: string, signal: AbortSignal) {
    try {
      return await offerOf(await this.#options.directory.find(name, signal), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const error: EngineLoadError = workerLoadError(workerFailure(name, cause), { modelPath });
      throw error;
    }
  }
}
