import { get } from "../../../http/client/get.ts";
import { backoffMs } from "../../../lib/backoff.ts";
import type { Logger } from "../../../lib/log.ts";
import { sleep } from "../../../lib/sleep.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

export interface NotifierOptions {
  pool: UpstreamPool;
  log: Logger;
  /** Bounds of the delay between two attempts. Default: 1 and 60 s. */
  retry?: { firstMs: number; maxMs: number };
}

const RETRY = { firstMs: 1000, maxMs: 60_000 };
const ANSWER_MS_MAX = 5000;
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Tells nodes that what they shall have has changed, again and again until each has heard it. One
 * that is offline is not told: it asks by itself when it is back.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #closing = new AbortController();
  /** Nodes that are being told; `again`: there is more since. */
  readonly #open = new Map<string, { again: boolean }>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closing.abort(new Error("The balancer stops."));
  }

  /** Tells all nodes that are online. */
  tellAll(): void {
    for (const endpoint of this.#options.pool.endpoints) {
      const { source } = endpoint.facts;
      if (source === "node" || source === "local") this.#tell(endpoint);
    }
  }

  #tell(endpoint: Endpoint): void {
    const open = this.#open.get(endpoint.id);
    if (open !== undefined) {
      open.again = true;
      return;
    }
    const told = { again: true };
    this.#open.set(endpoint.id, told);
    void this.#run(endpoint, told).finally(() => this.#open.delete(endpoint.id));
  }

  /** Never rejects. */
  async #run(endpoint: Endpoint, told: { again: boolean }): Promise<void> {
    const { pool, log, retry = RETRY } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; told.again && !signal.aborted; ) {
      if (!pool.has(endpoint) || endpoint.health.status === "offline") return;
      told.again = false;
      const reason = await this.#post(endpoint);
      if (reason === undefined) {
        failures = 0;
        continue;
      }
      told.again = true;
      log.debug({ endpoint: endpoint.name, reason }, "models.notify_failed");
      await sleep(backoffMs(failures, retry), signal).catch(() => undefined); // it ends
      failures += 1;
    }
  }

  /** Why it was not accepted; undefined: it was. */
  async #post(endpoint: Endpoint): Promise<string | undefined> {
    const { url, headers, proxy } = endpoint.target("/api/models/pull");
    try {
      const { head } = await get({
        ...{ url, proxy, timeoutMs: ANSWER_MS_MAX, limitBytes: ANSWER_BYTES_MAX },
        headers: { ...headers, "content-type": "application/json" },
        body: Buffer.from("{}"),
        signal: this.#closing.signal,
      });
      return head.status < 300 ? undefined : `HTTP ${head.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
