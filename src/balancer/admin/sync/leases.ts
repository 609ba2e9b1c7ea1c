/** Who fetches what from the hub, for all the others. */
export interface DownloadLease {
  /** Id of the node's endpoint. */
  node: string;
  model: string;
  untilMs: number;
}

/** How long a lease is kept for a node that says nothing. */
const LEASE_MS = 15_000;
const LEASES_MAX = 10_000;

/**
 * Of several nodes that want the same files one fetches them from the hub.
 *
 * 1. Nobody has the lease, or its holder was silent too long: whoever asks gets it.
 * 2. The holder asks: it keeps it.
 * 3. Another asks: it is told the holder.
 */
export class DownloadLeases {
  readonly #leases = new Map<string, DownloadLease>();

  /** Asks for the lease of `key`, which stands for files of `model`. Returns its holder. */
  ask(key: string, wish: Pick<DownloadLease, "node" | "model">, nowMs: number): DownloadLease {
    const known = this.#leases.get(key);
    if (known !== undefined && known.node !== wish.node && known.untilMs > nowMs) return known;
    const lease = { ...wish, untilMs: nowMs + LEASE_MS };
    this.#leases.delete(key); // the latest is the last
    this.#leases.set(key, lease);
    const [oldest] = this.#leases.keys();
    if (this.#leases.size > LEASES_MAX && oldest !== undefined) this.#leases.delete(oldest);
    return lease;
  }

  /** Ends a node's leases of models that it does not fetch (any more). */
  keepOnly(node: string, fetching: (model: string) => boolean): void {
    for (const [key, lease] of this.#leases) {
      if (lease.node === node && !fetching(lease.model)) this.#leases.delete(key);
    }
  }
}
