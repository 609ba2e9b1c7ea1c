/** A node's permission to fetch files from the hub, while other nodes wait for it. */
export interface DownloadLease {
  /** The id of the node's endpoint. */
  node: string;
  model: string;
  untilMs: number;
}

type LeaseRequest = Pick<DownloadLease, "node" | "model">;

/** A lease ends this long after the node acquired or renewed it. */
const LEASE_MS = 15_000;
const LEASES_MAX = 10_000;

/**
 * Of several nodes that need the same files, one fetches them from the hub. When a node asks:
 *
 * 1. Nobody has the lease, or it has ended: the node gets it.
 * 2. The node has the lease: it is renewed.
 * 3. Another node has the lease: that one keeps it.
 */
export class DownloadLeases {
  readonly #leases = new Map<string, DownloadLease>();

  /** Asks for the lease of the files behind `key`. Returns the lease, which may be another's. */
  acquire(key: string, request: LeaseRequest, nowMs: number): DownloadLease {
    const current = this.#leases.get(key);
    if (current !== undefined && current.node !== request.node && current.untilMs > nowMs)
      return current;
    const lease = { ...request, untilMs: nowMs + LEASE_MS };
    this.#leases.delete(key); // so that the oldest lease comes first
    this.#leases.set(key, lease);
    const [oldest] = this.#leases.keys();
    if (this.#leases.size > LEASES_MAX && oldest !== undefined) this.#leases.delete(oldest);
    return lease;
  }

  /** Ends a node's leases, except those of models for which `isKept` is true. */
  releaseExcept(node: string, isKept: (model: string) => boolean): void {
    for (const [key, lease] of this.#leases) {
      if (lease.node === node && !isKept(lease.model)) this.#leases.delete(key);
    }
  }
}
