import { signTicket } from "../../../auth/ticket.ts";
import { localName } from "../../../model/filename.ts";
import type { Peer } from "../../../wire/manifest.ts";
import type { DownloadLeaseAnswer, DownloadLeaseBody } from "../../../wire/sync.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { NodePrincipal } from "../nodes/principal.ts";
import { canReach } from "../nodes/reach.ts";
import { DownloadLeases } from "./downloadlease.ts";
import type { Holdings } from "./holdings.ts";

const RENEW_MS = 5000;
const RETRY_MS = 1000;
/** Enough for a large file on a slow network; what is missing then comes from the hub. */
const TICKET_MS = 4 * 3_600_000;
/** More peers do not make a pull faster. */
const PEERS_MAX = 8;

export interface DownloadSourcesOptions {
  holdings: Holdings;
  pool: UpstreamPool;
  /** Default: the system's clock, and `Math.random`. */
  nowMs?(): number;
  random?(): number;
}

/**
 * Decides from where a node fetches the files of a model:
 *
 * 1. Nodes that are online have all of the files, whole and verified: from these peers.
 * 2. No other node that is online has the download lease: from the hub, and this node gets the
 *    lease.
 * 3. Another node has the lease: the node waits and asks again.
 */
export class DownloadSources {
  readonly #options: DownloadSourcesOptions;
  readonly leases = new DownloadLeases();

  constructor(options: DownloadSourcesOptions) {
    this.#options = options;
  }

  /** What the node does now. A node that fetches from the hub asks again to renew its lease. */
  choose(node: NodePrincipal, body: DownloadLeaseBody): DownloadLeaseAnswer {
    const { pool, nowMs = () => performance.now() } = this.#options;
    const peers = this.peersFor(node, body);
    if (peers.length > 0) return { go: "peers", peers };
    const { model, revision, files } = body;
    const key = JSON.stringify([model.toLowerCase(), revision, ...files.toSorted()]);
    const request = { node: node.id, model };
    let { node: holder } = this.leases.acquire(key, request, nowMs());
    if (holder !== node.id && pool.get(holder)?.health.status === "offline") {
      this.leases.releaseExcept(holder, () => false);
      holder = this.leases.acquire(key, request, nowMs()).node;
    }
    if (holder === node.id) return { go: "hub", renew_ms: RENEW_MS };
    return { go: "wait", holder: pool.get(holder)?.name ?? holder, retry_ms: RETRY_MS };
  }

  /** Nodes that have all of the files, in random order, each with a ticket for the model. */
  peersFor(node: NodePrincipal, { model, revision, files }: DownloadLeaseBody): Peer[] {
    const { holdings, pool, random = Math.random } = this.#options;
    const names = files.map(localName);
    const holders = holdings.of(model).filter(({ endpoint, model: copy }) => {
      if (endpoint.id === node.id || copy.revision !== revision) return false;
      if (!pool.has(endpoint)) return false;
      const has = new Set(copy.files);
      return names.every((name) => has.has(name)) && isReachable(endpoint, node);
    });
    const shuffled = holders.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at);
    const expiresAt = Date.now() + TICKET_MS;
    return shuffled.slice(0, PEERS_MAX).map(({ one: { endpoint, model: copy } }) => {
      const { url, apiKey, fingerprint } = endpoint.facts;
      const pinned = fingerprint === null ? {} : { tls_fingerprint: fingerprint };
      const ticket = { kind: "files", subject: copy.id, expiresAt } as const;
      const token = apiKey === undefined ? null : signTicket(ticket, apiKey);
      return { url, token, ...pinned, files };
    });
  }
}

/** Whether an endpoint is a node whose files another node can fetch now. */
function isReachable(endpoint: Endpoint, node: NodePrincipal): boolean {
  const { facts, health } = endpoint;
  return facts.source === "node" && health.status === "online" && canReach(node, endpoint);
}
