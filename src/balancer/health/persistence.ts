import type { State } from "../../db/database.ts";
import type { Logger } from "../../lib/log.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { rowsOfModels } from "./modelrows.ts";
import type { CheckReport } from "./monitor.ts";

export interface CheckPersistenceOptions {
  state: State;
  pool: UpstreamPool;
  log: Logger;
}

/** How often new latencies are saved. */
const LATENCY_EVERY_MS = 250;

/** Saves the results of checks in the store: history, health, models and latencies of endpoints. */
export class CheckPersistence {
  readonly #options: CheckPersistenceOptions;
  /** When the latency that is saved was sampled. */
  readonly #savedAtMs = new WeakMap<Endpoint, number>();
  #isStopped = false;
  #timer: Timer | undefined;

  constructor(options: CheckPersistenceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#saveLatencies(), LATENCY_EVERY_MS);
    this.#timer.unref();
  }

  /** Saves what is left. The store is closed by whoever opened it. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#saveLatencies();
  }

  /** Saves a check, and the list of models that it found. Never throws; failures are logged. */
  recordCheck(endpoint: Endpoint, report: CheckReport): void {
    const { state, log } = this.#options;
    const { result, checkedAt, statusBefore, statusAfter } = report;
    const { latencyMs, lastSeenAt, lastError } = endpoint.lastCheck;
    const { id, health } = endpoint;
    state.checks.record({
      ...{ endpointId: id, checkedAt, succeeded: result.ok, latencyMs: result.latencyMs },
      error: result.ok ? null : result.reason,
      ...{ statusBefore, statusAfter },
    });
    state.endpoints.saveHealth(id, {
      ...{ status: statusAfter, latencyMs, lastSeenAt, lastError, errorCount: health.failures },
    });
    if (!result.ok) return;
    this.saveModels(endpoint).catch((err) => {
      if (!this.#isStopped) log.warn({ endpoint: endpoint.name, err }, "endpoint.save_failed");
    });
  }

  /** Saves an endpoint's list of models in one transaction. Throws `StorageError`. */
  async saveModels(endpoint: Endpoint): Promise<void> {
    if (endpoint.models === undefined || endpoint.facts.source === "local") return;
    await this.#options.state.models.replace(endpoint.id, rowsOfModels(endpoint.models));
  }

  #saveLatencies(): void {
    const { pool, state } = this.#options;
    for (const endpoint of pool.endpoints) {
      const { sampledAtMs, stored: ms } = endpoint.latency;
      if (this.#savedAtMs.get(endpoint) === sampledAtMs) continue;
      this.#savedAtMs.set(endpoint, sampledAtMs);
      const measuredAt = Number.isFinite(sampledAtMs) ? Math.round(sampledAtMs) : null;
      state.endpoints.saveLatency(endpoint.id, { ms, measuredAt });
    }
  }
}
