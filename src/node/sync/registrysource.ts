import { sleep } from "../../lib/sleep.ts";
import type { PullTarget } from "../../registry/pulltarget.ts";
import { ApiError } from "../../wire/error.ts";
import type { Artifact, Manifest, Peer } from "../../wire/manifest.ts";
import type { DownloadLeaseBody } from "../../wire/sync.ts";
import type { BalancerClient } from "./balancerclient.ts";
import type { LeaseOptions, ModelSource, PullJobTarget } from "./modelsource.ts";

/** A pull waits this long for a balancer that is away; then it uses the hub without a lease. */
const AWAY_MS_MAX = 30_000;
/** Pause before a balancer that failed is asked again. */
const RETRY_MS = 1000;

/** Models that are registered at the balancer. */
export class RegistrySource implements ModelSource {
  readonly #client: BalancerClient;

  constructor(client: BalancerClient) {
    this.#client = client;
  }

  target(name: string): PullJobTarget {
    const [id = "", quantization] = name.split(":");
    return { id, quantization, place: "" };
  }

  /** The manifest of a model, or of one of its quantizations (`id:QUANT`). */
  async offer(name: string, signal: AbortSignal): Promise<PullTarget> {
    const [model = "", quantization] = name.split(":");
    const manifest = await this.#client.manifest(model, signal);
    const request = { quantization, isNamed: quantization !== undefined };
    return { manifest, request, notes: [] };
  }

  async acquireLease(
    { model, revision }: Manifest,
    files: Artifact[],
    { signal, onWait }: LeaseOptions,
  ): Promise<Peer[]> {
    const body = { model, revision, files: files.map(({ filename }) => filename) };
    const startMs = performance.now();
    for (;;) {
      try {
        const answer = await this.#client.downloadLease(body, signal);
        if (answer.go === "peers") return answer.peers;
        if (answer.go === "hub") {
          void this.#renew(body, answer.renew_ms, signal);
          return [];
        }
        onWait(answer.holder);
        await sleep(answer.retry_ms * (0.9 + 0.2 * Math.random()), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ApiError) || error.kind === "model_not_found") throw error;
        if (performance.now() - startMs > AWAY_MS_MAX) return [];
        await sleep(RETRY_MS, signal);
      }
    }
  }

  /** Renews the lease until the pull ends. Never rejects: a lease that was lost is asked anew. */
  async #renew(body: DownloadLeaseBody, everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, signal).catch(() => undefined); // the pull has ended
      if (!signal.aborted) await this.#client.downloadLease(body, signal).catch(() => undefined);
    }
  }
}
