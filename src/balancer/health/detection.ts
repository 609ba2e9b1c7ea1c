import type { Logger } from "../../lib/log.ts";
import { monotonicMs } from "../../lib/monotonic.ts";
import type { EndpointRegistry } from "../admin/endpoints/registry.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { detectKind } from "./kinddetection.ts";
import type { CheckReport } from "./monitor.ts";
import { probeRoutes } from "./routeprobe.ts";
import { learnWarmth } from "./warmthreport.ts";

export interface EndpointDetectionOptions {
  pool: UpstreamPool;
  endpointRegistry: EndpointRegistry;
  log: Logger;
  /** Called when a detection has ended, with or without a result. */
  onDetected(): void;
}

/** Longest time for the probes of an endpoint's routes. */
const ROUTES_MS_MAX = 5000;

/**
 * Finds out what kind of server an endpoint is, which routes it has, and on which device it runs.
 */
export class EndpointDetection {
  readonly #options: EndpointDetectionOptions;
  readonly #stop = new AbortController();

  constructor(options: EndpointDetectionOptions) {
    this.#options = options;
  }

  /** Ends the detections that run. */
  stop(): void {
    this.#stop.abort();
  }

  /** Detects an endpoint if a check succeeded and the endpoint is new or was offline before. */
  afterCheck(endpoint: Endpoint, { result, statusBefore }: CheckReport): void {
    if (!result.ok || endpoint.isDetecting) return;
    const isNew = endpoint.facts.kind === null || endpoint.routes === undefined;
    if (isNew || statusBefore === "offline") void this.#detect(endpoint);
  }

  /** Never rejects. */
  async #detect(endpoint: Endpoint): Promise<void> {
    endpoint.isDetecting = true;
    const { pool, endpointRegistry, log } = this.#options;
    const { signal } = this.#stop;
    try {
      const { url } = endpoint.facts;
      const detected = await detectKind(endpoint, signal);
      if (detected === undefined || !pool.has(endpoint) || endpoint.facts.url !== url) return;
      const { kind, system } = detected;
      endpoint.routes = await probeRoutes(endpoint, kind, { timeoutMs: ROUTES_MS_MAX, signal });
      if (system !== undefined) endpoint.applySystem(system);
      if (kind !== endpoint.facts.kind) {
        log.info({ endpoint: endpoint.name, kind }, "endpoint.kind");
      }
      const deviceInfo = system?.device;
      await endpointRegistry.saveDetected(endpoint, {
        kind,
        ...(deviceInfo === undefined ? {} : { deviceInfo }),
      });
      // Checks ask for it as well, but the first one did not know whom it asked.
      const asked = { system, askedAtMs: monotonicMs() };
      await learnWarmth(endpoint, asked, { timeoutMs: ROUTES_MS_MAX, signal });
    } catch (err) {
      if (!signal.aborted) log.warn({ endpoint: endpoint.name, err }, "endpoint.save_failed");
    } finally {
      endpoint.isDetecting = false;
      this.#options.onDetected();
    }
  }
}
