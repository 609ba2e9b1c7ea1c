import { freemem } from "node:os";
import { freeMemoryOf } from "../../model/memory.ts";
import type { Offer } from "../../registry/offer.ts";
import type { Puller } from "../../storage/pull/pull.ts";
import { type Selection, selectFiles } from "../../storage/selection.ts";
import type { Device } from "../../wire/system.ts";

export interface ChooserOptions {
  puller: Puller;
  devices(): Promise<Device[]>;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
}

/** Chooses among what a model offers, by what this node's engine runs and its memory holds. */
export class Chooser {
  readonly #options: ChooserOptions;

  constructor(options: ChooserOptions) {
    this.#options = options;
  }

  /** Throws `PullError` that says why nothing can be used here, or that the hub cannot be asked. */
  choose({ manifest, wish }: Offer, signal: AbortSignal): Promise<Selection> {
    const { puller, devices, engineArgs: args } = this.#options;
    return selectFiles({
      ...{ manifest, ...wish, args },
      free: async () => freeMemoryOf(await devices(), freemem()),
      header: (artifact) => puller.headerOrNone(manifest, artifact, signal),
    });
  }
}
