import type { Logger } from "../../lib/log.ts";
import { heldModels, type ModelParts } from "../models/view.ts";
import type { BalancerClient } from "./balancerclient.ts";
import { Notifier } from "./notify.ts";

export interface ReporterOptions extends ModelParts {
  link: BalancerClient;
  log: Logger;
}

/** While something is fetched, the balancer hears of it so often. */
const ACTIVE_MS = 1000;
/** A balancer that was started anew knows nothing. */
const IDLE_MS = 30_000;

/** Tells the balancer what this node has: after every change, and now and then. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #bell = new Notifier();
  readonly #closing = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The node stops."));
    await this.#loop;
  }

  /** Something changed. */
  ring(): void {
    this.#bell.ring();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { link, pulls, catalog, log } = this.#options;
    while (!signal.aborted) {
      const isActive = pulls.list().some(({ isRunning }) => isRunning);
      if (link.isOpen) {
        const serves = catalog.listed().map(({ name }) => name);
        try {
          await link.report({ models: heldModels(this.#options), serves }, signal);
        } catch (err) {
          if (!signal.aborted) log.debug({ err }, "sync.report_failed");
        }
      }
      await this.#bell.wait(isActive ? ACTIVE_MS : IDLE_MS, signal);
    }
  }
}
