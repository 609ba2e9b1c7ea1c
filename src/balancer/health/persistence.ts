import type { State } from "../../db/database.ts";
import type { Logger } from "../../lib/log.ts";
import type { EndpointRegistry } from "../admin/endpoints/registry.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { detectKind } from "./kind.ts";
import { toStored } from "./modellist.ts";
import type { CheckReport } from "./monitor.ts";
import { detectRoutes } from "./routes.ts";

export interface CheckPersistenceOptions {
  state: State;
  pool: UpstreamPool;
  endpointRegistry: EndpointRegistry;
  log: Logger;
  /** Called when an endpoint has been asked what it is, whatever it said. Default nobody. */
  onAsked?: () => void;
}

/** A measured latency is on disk this long after it was measured, and a moment more. */
const LATENCY_EVERY_MS = 250;
/** Longest time for finding out which routes an endpoint has. */
const ROUTES_MS_MAX = 5000;

/** Writes down what becomes known of endpoints: checks, states, models, latency, what they are. */
export class CheckPersistence {
  readonly #options: CheckPersistenceOptions;
  /** When the latency that is stored was measured. */
  readonly #measuredAt = new WeakMap<Endpoint, number>();
  readonly #stop = new AbortController();
  #timer: Timer | undefined;

  constructor(options: CheckPersistenceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#saveLatencies(), LATENCY_EVERY_MS);
    this.#timer.unref();
  }

  /** Hands over what is left to write; the store itself is closed by whoever opened it. */
  stop(): void {
    this.#stop.abort();
    clearInterval(this.#timer);
    this.#saveLatencies();
  }

  /** Takes note of a check. Never throws. */
  checked(endpoint: Endpoint, report: CheckReport): void {
    const { state } = this.#options;
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
    this.saveModels(endpoint).catch((err) => this.#failed(endpoint, err));
    const cameBack = statusBefore === "offline";
    const isNew = endpoint.facts.kind === null || endpoint.routes === undefined;
    if (isNew || cameBack) this.#detect(endpoint);
  }

  /** Stores an endpoint's list of models, in one transaction. Throws `StorageError`. */
  async saveModels(endpoint: Endpoint): Promise<void> {
    if (endpoint.models === undefined || endpoint.facts.source === "local") return;
    await this.#options.state.models.replace(endpoint.id, toStored(endpoint.models));
  }

  /** Finds out what answers there, and what machine it is, beside everything else. */
  async #detect(endpoint: Endpoint): Promise<void> {
    if (endpoint.isDetecting) return;
    endpoint.isDetecting = true;
    const { pool, endpointRegistry, log } = this.#options;
    try {
      const { url } = endpoint.facts;
      const found = await detectKind(endpoint, this.#stop.signal);
      if (found === undefined || !pool.has(endpoint) || endpoint.facts.url !== url) return;
      const { kind, system } = found;
      const asking = { timeoutMs: ROUTES_MS_MAX, signal: this.#stop.signal };
      endpoint.routes = await detectRoutes(endpoint, kind, asking);
      if (system !== undefined) endpoint.applySystem(system);
      if (kind !== endpoint.facts.kind)
        log.info({ endpoint: endpoint.name, kind }, "endpoint.kind");
      const deviceInfo = system?.device;
      await endpointRegistry.note(endpoint, {
        kind,
        ...(deviceInfo === undefined ? {} : { deviceInfo }),
      });
    } catch (err) {
      this.#failed(endpoint, err);
    } finally {
      endpoint.isDetecting = false;
      this.#options.onAsked?.();
    }
  }

  #saveLatencies(): void {
    const { pool, state } = this.#options;
    for (const endpoint of pool.endpoints) {
      const { sampledAtMs, stored: ms } = endpoint.latency;
      if (this.#measuredAt.get(endpoint) === sampledAtMs) continue;
      this.#measuredAt.set(endpoint, sampledAtMs);
      const measuredAt = Number.isFinite(sampledAtMs) ? Math.round(sampledAtMs) : null;
      state.endpoints.saveLatency(endpoint.id, { ms, measuredAt });
    }
  }

  #failed(endpoint: Endpoint, err: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#options.log.warn({ endpoint: endpoint.name, err }, "endpoint.save_failed");
  }
}
