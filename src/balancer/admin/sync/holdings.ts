import type { PullStep } from "../../../wire/event.ts";
import type { ModelProgress, ModelReportBody, NodeModelReport } from "../../../wire/sync.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";

/** A model on one node. */
export interface ModelHolding {
  endpoint: Endpoint;
  model: NodeModelReport;
}

/** How far the nodes are with fetching a model. */
export type DownloadProgress = Omit<ModelProgress, "model" | "nodes"> & {
  /** Seconds until the node that is furthest is done; null if unknown. */
  etaS: number | null;
  /** Why it failed; null unless it failed on all nodes. */
  error: string | null;
};

/** The last report of a node. */
interface NodeReport {
  endpoint: Endpoint;
  /** By id in lower case. */
  models: ReadonlyMap<string, NodeModelReport>;
  atMs: number;
}

/** A report is dropped after this time; nodes report more often. */
const REPORT_MS_MAX = 90_000;

/** The models that nodes have or fetch, as the nodes reported last. */
export class Holdings {
  readonly #reports = new Map<string, NodeReport>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Replaces what a node reported before. */
  report(endpoint: Endpoint, { models }: ModelReportBody): void {
    const byId = new Map(models.map((model) => [model.id.toLowerCase(), model]));
    this.#reports.set(endpoint.id, { endpoint, models: byId, atMs: this.#nowMs() });
    for (const [id, { atMs }] of this.#reports) {
      if (this.#nowMs() - atMs > REPORT_MS_MAX) this.#reports.delete(id);
    }
  }

  /** A model on all nodes that have or fetch it, without nodes that are offline or silent. */
  of(id: string): ModelHolding[] {
    const key = id.toLowerCase();
    return [...this.#reports.values()].flatMap(({ endpoint, models, atMs }) => {
      const model = models.get(key);
      const isGone = this.#nowMs() - atMs > REPORT_MS_MAX || endpoint.health.status === "offline";
      return model === undefined || isGone ? [] : [{ endpoint, model }];
    });
  }

  /** Models that nodes fetch or failed to fetch. */
  pulls(): PullStep[] {
    return [...this.#reports.values()].flatMap(({ endpoint, models }) =>
      [...models.values()]
        .filter(({ state }) => state !== "ready")
        .map(({ id, state, progress, error }) => ({
          ...{ model: id, endpoint_name: endpoint.name, state },
          ...{ bytes: progress?.bytes ?? 0, total_bytes: progress?.total_bytes ?? 0 },
          rate_bytes_per_s: progress?.rate_bytes_per_s ?? 0,
          ...{ eta_s: progress?.eta_s ?? null, error: error?.message ?? null },
        })),
    );
  }

  /** The progress of the node that is furthest. */
  progress(id: string): DownloadProgress {
    const copies = this.of(id).map(({ model }) => model);
    const active = copies.filter(({ state }) => state === "waiting" || state === "pulling");
    const shares = active.flatMap(({ progress }) => (progress === null ? [] : [progress]));
    const share = (one: (typeof shares)[number]) => one.bytes / Math.max(1, one.total_bytes);
    const furthest = shares.toSorted((a, b) => share(b) - share(a))[0];
    const { bytes = 0, total_bytes: total = 0, eta_s: etaS = null } = furthest ?? {};
    const failed = copies.find(({ state, error }) => error !== null && isFailed(state));
    const isReady = copies.some(({ state }) => state === "ready");
    const failure = isReady || active.length > 0 ? undefined : failed?.error?.message;
    const unready = active.length > 0 ? "caching" : failure === undefined ? "registered" : "error";
    return {
      state: isReady ? "ready" : unready,
      ...{ bytes_downloaded: bytes, bytes_total: total, etaS, error: failure ?? null },
      percent: total > 0 ? Math.floor((1000 * bytes) / total) / 10 : 0,
    };
  }
}

function isFailed(state: NodeModelReport["state"]): boolean {
  return state === "failed" || state === "unusable";
}
