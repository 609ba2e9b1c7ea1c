import type { ProxySettings } from "../../config/fields/proxies.ts";
import type { WorkerSetting } from "../../config/values/worker.ts";
import type { Route } from "../../http/client/address.ts";
import { proxyFor } from "../../http/client/proxy.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { WorkerError } from "./error.ts";

/** Where a worker is and what it is asked with, at this moment. */
export interface Worker extends Pick<Route, "proxy" | "fingerprint"> {
  name: string;
  /** Base URL. */
  url: string;
  /** Its key, or a ticket of the balancer; undefined: it asks for none. */
  key?: string | undefined;
}

/** Says where a worker is that the settings do not name; undefined: nobody knows it. */
export type WorkerLookup = (
  name: string,
  signal: AbortSignal,
) => Promise<WorkerSetting | undefined>;

export interface DirectoryOptions {
  settings: ProxySettings & { workers: readonly WorkerSetting[] };
  /** Asks the balancer. Default: there is none. */
  lookUp?: WorkerLookup | undefined;
}

/** The workers that a node may use: those of its settings, then those that its balancer knows. */
export class WorkerDirectory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** The worker with a name. Throws `WorkerError` if there is none, or the balancer is away. */
  async find(name: string, signal: AbortSignal): Promise<Worker> {
    const { settings, lookUp } = this.#options;
    const own = settings.workers.find((one) => one.name === name);
    const found = own ?? (await this.#askBalancer(name, signal));
    if (found === undefined) {
      const where = lookUp === undefined ? "workers in config.json" : "the balancer's nodes";
      const why = `there is no worker of that name among ${where}`;
      throw new WorkerError("refused", name, why);
    }
    const { url, apiKey: key, fingerprint } = found;
    return { name, url, key, fingerprint, proxy: proxyFor(url, settings) };
  }

  async #askBalancer(name: string, signal: AbortSignal) {
    try {
      return await this.#options.lookUp?.(name, signal);
    } catch (cause) {
      throw new WorkerError("unreachable", name, errorMessage(cause), cause);
    }
  }
}
