import type { EngineLoadError } from "../../engine/loaderror.ts";
import type { Launch } from "../supervisor/engineoptions.ts";
import { lentDevice } from "../supervisor/room/lent.ts";
import type { Memory } from "../supervisor/room/memory.ts";
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
    return launchOverWorkers({ directory, workers, head, launch });
  }

  /**
   * The free memory of the workers' devices, by the names that llama.cpp will give them. Throws
   * `EngineLoadError` if one of them lends nothing: then no room need be made here.
   */
  async lent(
    workers: readonly string[],
    { modelPath, signal }: { modelPath: string; signal: AbortSignal },
  ): Promise<Memory> {
    const offers = await Promise.all(workers.map((name) => this.#offer(name, modelPath, signal)));
    const devices = offers.flatMap((offer) => offer.devices);
    return Object.fromEntries(
      devices.map(({ free_memory_bytes }, i) => [lentDevice(i), free_memory_bytes]),
    );
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
