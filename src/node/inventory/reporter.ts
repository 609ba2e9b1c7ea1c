import type { Logger } from "../../lib/log.ts";
import { Notify } from "../../lib/notify.ts";
import { sleep } from "../../lib/sleep.ts";
import type { LoadedModels } from "../../wire/system.ts";
import type { BalancerClient } from "../sync/balancerclient.ts";
import { type InventoryParts, reportedModels } from "./view.ts";

export interface ReporterOptions extends InventoryParts {
  client: BalancerClient;
  /** What is loaded now. */
  loadedModels(): Promise<LoadedModels>;
  log: Logger;
}

/** Interval between reports while something is pulled. */
const ACTIVE_INTERVAL_MS = 1000;
/** Interval otherwise: a balancer that was restarted has forgotten all reports. */
const IDLE_INTERVAL_MS = 30_000;
/** Changes within this time after a report are told together. */
const SPACING_MS_MIN = 50;

/**
 * Reports to the balancer which models this node has and which of them are loaded: at once after
 * every change, and every 30 s.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #notify = new Notify();
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

  /** Reports at once. */
  wake(): void {
    this.#notify.notify();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const isActive = this.#options.pulls.list().some(({ isRunning }) => isRunning);
      const { isEnrolled, isOpen } = this.#options.client;
      if (isEnrolled && isOpen) await this.#report(signal);
      // Closing ends the sleep, and then the loop.
      await sleep(SPACING_MS_MIN, signal).catch(() => undefined);
      await this.#notify.wait(isActive ? ACTIVE_INTERVAL_MS : IDLE_INTERVAL_MS, signal);
    }
  }

  /** Never rejects. */
  async #report(signal: AbortSignal): Promise<void> {
    const { client, catalog, loadedModels, log } = this.#options;
    try {
      const loaded = await loadedModels();
      const serves = catalog.listedNames().map(({ name }) => name);
      await client.report({ models: reportedModels(this.#options), serves, loaded }, signal);
    } catch (err) {
      if (!signal.aborted) log.debug({ err }, "sync.report_failed");
    }
  }
}
