import { monotonicMs } from "../../lib/monotonic.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { getSystemReport } from "./systemreport.ts";
import { learnWarmth } from "./warmthreport.ts";

/** Whoever looks does not wait longer for an endpoint that does not answer. */
const ANSWER_MS_MAX = 1000;

/**
 * Asks the endpoints what they have loaded, for whoever looks: what checks and reports told may be
 * some moments old. However many look, there is one round of questions at a time.
 */
export class WarmthRefresh {
  readonly #pool: UpstreamPool;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(pool: UpstreamPool) {
    this.#pool = pool;
  }

  /** Settles when a round that began after this call is done. Never throws. */
  now(): Promise<void> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<void> {
    await this.#running;
    this.#next = undefined;
    this.#running = this.#askAll();
    await this.#running;
  }

  async #askAll(): Promise<void> {
    const online = this.#pool.endpoints.filter(({ health }) => health.status === "online");
    await Promise.all(online.map((endpoint) => ask(endpoint)));
  }
}

async function ask(endpoint: Endpoint): Promise<void> {
  const askedAtMs = monotonicMs();
  const options = { timeoutMs: ANSWER_MS_MAX, signal: new AbortController().signal };
  const isNode = endpoint.facts.kind === "llmlb";
  const system = isNode ? await getSystemReport(endpoint, options) : undefined;
  await learnWarmth(endpoint, { system, askedAtMs }, options);
}
