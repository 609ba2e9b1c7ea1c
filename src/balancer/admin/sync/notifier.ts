import { get } from "../../../http/client/get.ts";
import { backoffMs } from "../../../lib/backoff.ts";
import { errorMessage } from "../../../lib/errormessage.ts";
import type { Logger } from "../../../lib/log.ts";
import { sleep } from "../../../lib/sleep.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { isNode } from "../nodes/node.ts";

/** What is sent to one node. */
interface Notification {
  /** The node has not accepted the latest change. */
  isDue: boolean;
}

export interface AssignmentNotifierOptions {
  pool: UpstreamPool;
  log: Logger;
  /** Bounds of the delay between two tries. Default: 1 and 60 s. */
  retry?: { firstMs: number; maxMs: number };
}

const RETRY = { firstMs: 1000, maxMs: 60_000 };
const ANSWER_MS_MAX = 5000;
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Notifies nodes that their models have changed, and repeats that until each node has accepted it.
 * A node that is offline is not notified: it syncs by itself when it is back.
 */
export class AssignmentNotifier {
  readonly #options: AssignmentNotifierOptions;
  readonly #closing = new AbortController();
  /** The notifications on their way, by the endpoints' ids. */
  readonly #notifications = new Map<string, Notification>();

  constructor(options: AssignmentNotifierOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closing.abort(new Error("The balancer stops."));
  }

  /** Notifies all nodes that are online. */
  notifyAll(): void {
    for (const endpoint of this.#options.pool.endpoints) {
      if (isNode(endpoint)) this.#notify(endpoint);
    }
  }

  #notify(endpoint: Endpoint): void {
    const running = this.#notifications.get(endpoint.id);
    if (running !== undefined) {
      running.isDue = true;
      return;
    }
    const notification = { isDue: true };
    this.#notifications.set(endpoint.id, notification);
    void this.#run(endpoint, notification).finally(() => this.#notifications.delete(endpoint.id));
  }

  /** Never rejects. */
  async #run(endpoint: Endpoint, notification: Notification): Promise<void> {
    const { pool, log, retry = RETRY } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; notification.isDue && !signal.aborted; ) {
      if (!pool.has(endpoint) || endpoint.health.status === "offline") return;
      notification.isDue = false;
      const reason = await this.#post(endpoint);
      if (reason === undefined) {
        failures = 0;
        continue;
      }
      notification.isDue = true;
      log.debug({ endpoint: endpoint.name, reason }, "models.notify_failed");
      // Closing ends the sleep, and then the loop.
      await sleep(backoffMs(failures, retry), signal).catch(() => undefined);
      failures += 1;
    }
  }

  /** Why the node did not accept it; undefined if it did. */
  async #post(endpoint: Endpoint): Promise<string | undefined> {
    const { url, headers, proxy, guarded, fingerprint } = endpoint.target("/api/models/pull");
    try {
      const { head } = await get({
        ...{ url, proxy, guarded, fingerprint },
        ...{ timeoutMs: ANSWER_MS_MAX, limitBytes: ANSWER_BYTES_MAX },
        headers: { ...headers, "content-type": "application/json" },
        body: Buffer.from("{}"),
        signal: this.#closing.signal,
      });
      return head.status < 300 ? undefined : `HTTP ${head.status}`;
    } catch (error) {
      return errorMessage(error);
    }
  }
}
