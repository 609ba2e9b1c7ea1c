import type { ModelProgress, ModelReportBody, NodeModelReport } from "../../../wire/sync.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";

/** A model on one node. */
export interface Held {
  endpoint: Endpoint;
  model: NodeModelReport;
}

/** How far the nodes are with a model that none serves yet. */
export type Fetching = Omit<ModelProgress, "model" | "nodes"> & {
  /** Seconds that the node which is furthest takes; null: not known. */
  etaS: number | null;
  /** Why it failed, where it failed everywhere. */
  error: string | null;
};

interface Told {
  endpoint: Endpoint;
  models: ReadonlyMap<string, NodeModelReport>;
  atMs: number;
}

/** What a node told is forgotten when it has said nothing for so long. */
const FRESH_MS = 90_000;

/** What nodes told of the models that they have and fetch. */
export class Holdings {
  readonly #told = new Map<string, Told>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Takes note of all that a node has. */
  tell(endpoint: Endpoint, { models }: ModelReportBody): void {
    const byId = new Map(models.map((model) => [model.id.toLowerCase(), model]));
    this.#told.set(endpoint.id, { endpoint, models: byId, atMs: this.#nowMs() });
    for (const [id, { atMs }] of this.#told) {
      if (this.#nowMs() - atMs > FRESH_MS) this.#told.delete(id);
    }
  }

  /** The nodes that told of a model, if they are not away. */
  of(id: string): Held[] {
    const key = id.toLowerCase();
    return [...this.#told.values()].flatMap(({ endpoint, models, atMs }) => {
      const model = models.get(key);
      const isGone = this.#nowMs() - atMs > FRESH_MS || endpoint.health.status === "offline";
      return model === undefined || isGone ? [] : [{ endpoint, model }];
    });
  }

  /** All nodes together: that which is furthest counts. */
  fetching(id: string): Fetching {
    const held = this.of(id).map(({ model }) => model);
    const active = held.filter(({ state }) => state === "waiting" || state === "pulling");
    const shares = active.flatMap(({ progress }) => (progress === null ? [] : [progress]));
    const share = (one: (typeof shares)[number]) => one.bytes / Math.max(1, one.total_bytes);
    const furthest = shares.toSorted((a, b) => share(b) - share(a))[0];
    const { bytes = 0, total_bytes: total = 0, eta_s: etaS = null } = furthest ?? {};
    const failed = held.find(({ state, error }) => error !== null && isFailed(state));
    const isReady = held.some(({ state }) => state === "ready");
    const failure = isReady || active.length > 0 ? undefined : failed?.error?.message;
    const waits = active.length > 0 ? "caching" : failure === undefined ? "registered" : "error";
    return {
      state: isReady ? "ready" : waits,
      ...{ bytes_downloaded: bytes, bytes_total: total, etaS, error: failure ?? null },
      percent: total > 0 ? Math.floor((1000 * bytes) / total) / 10 : 0,
    };
  }
}

function isFailed(state: NodeModelReport["state"]): boolean {
  return state === "failed" || state === "unusable";
}
