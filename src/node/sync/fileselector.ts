import { readHostMemory } from "../../lib/hostmemory.ts";
import { freeMemoryOf } from "../../model/memory.ts";
import type { PullTarget } from "../../registry/pulltarget.ts";
import { type FileSelection, selectFiles } from "../../storage/fileselection.ts";
import type { Puller } from "../../storage/pull/puller.ts";
import type { Device } from "../../wire/system.ts";

export interface FileSelectorOptions {
  puller: Puller;
  devices(): Promise<Device[]>;
  /** Free memory of the devices that others lend for a model, in bytes. */
  lentBytes(model: string, signal: AbortSignal): Promise<number>;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
}

/** Selects which of a model's files to pull: those that this node's engines and memory can run. */
export class FileSelector {
  readonly #options: FileSelectorOptions;

  constructor(options: FileSelectorOptions) {
    this.#options = options;
  }

  /** Throws `PullError` if no file can be used here, with the reason, or if the hub fails. */
  select({ manifest, request }: PullTarget, signal: AbortSignal): Promise<FileSelection> {
    const { puller, devices, lentBytes, engineArgs: args } = this.#options;
    return selectFiles({
      ...{ manifest, ...request, args },
      free: async () => {
        const { device, host } = freeMemoryOf(await devices(), readHostMemory());
        return { device: device + (await lentBytes(manifest.model, signal)), host };
      },
      header: (artifact) => puller.headerOrNone(manifest, artifact, signal),
    });
  }
}
