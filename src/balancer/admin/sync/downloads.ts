import { signFilesTicket } from "../../../auth/filesticket.ts";
import { localName } from "../../../model/filename.ts";
import type { Peer } from "../../../wire/manifest.ts";
import type { DownloadLeaseAnswer, DownloadLeaseBody } from "../../../wire/sync.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { Caller } from "./caller.ts";
import type { Holdings } from "./holdings.ts";
import { DownloadLeases } from "./leases.ts";

const RENEW_MS = 5000;
const RETRY_MS = 1000;
/** Long enough for a large file on a slow network; after that the hub has the rest. */
const TICKET_MS = 4 * 3_600_000;
/** More sources than that do not make a pull faster. */
const PEERS_MAX = 8;

export interface DownloadQueueOptions {
  holdings: Holdings;
  pool: UpstreamPool;
  /** Default: the system's clock, and `Math.random`. */
  nowMs?(): number;
  random?(): number;
}

/**
 * Says from where a node fetches files that it has chosen:
 *
 * 1. Nodes that are online have all of them, whole and verified: from these.
 * 2. Nobody fetches them from the hub, or this node does: from the hub.
 * 3. Another node fetches them: it waits for that, unless that one is offline.
 */
export class DownloadQueue {
  readonly #options: DownloadQueueOptions;
  readonly leases = new DownloadLeases();

  constructor(options: DownloadQueueOptions) {
    this.#options = options;
  }

  take(caller: Caller, body: DownloadLeaseBody): DownloadLeaseAnswer {
    const { pool, nowMs = () => performance.now() } = this.#options;
    const peers = this.peersFor(caller, body);
    if (peers.length > 0) return { go: "peers", peers };
    const { model, revision, files } = body;
    const key = JSON.stringify([model.toLowerCase(), revision, ...files.toSorted()]);
    const wish = { node: caller.id, model };
    let { node } = this.leases.ask(key, wish, nowMs());
    if (node !== caller.id && pool.get(node)?.health.status === "offline") {
      this.leases.keepOnly(node, () => false);
      node = this.leases.ask(key, wish, nowMs()).node;
    }
    if (node === caller.id) return { go: "hub", renew_ms: RENEW_MS };
    return { go: "wait", holder: pool.get(node)?.name ?? node, retry_ms: RETRY_MS };
  }

  /** Nodes that have all the files, in an order that spreads the load, with tickets for them. */
  peersFor(caller: Caller, { model, revision, files }: DownloadLeaseBody): Peer[] {
    const { holdings, pool, random = Math.random } = this.#options;
    const names = files.map(localName);
    const able = holdings.of(model).filter(({ endpoint, model: held }) => {
      if (endpoint.id === caller.id || held.revision !== revision) return false;
      if (!pool.has(endpoint)) return false;
      const has = new Set(held.files);
      return names.every((name) => has.has(name)) && isReached(endpoint, caller);
    });
    const shuffled = able.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at);
    const expiresAt = Date.now() + TICKET_MS;
    return shuffled.slice(0, PEERS_MAX).map(({ one: { endpoint, model: held } }) => {
      const { url, apiKey } = endpoint.facts;
      const token =
        apiKey === undefined ? null : signFilesTicket({ model: held.id, expiresAt }, apiKey);
      return { url, token, files };
    });
  }
}

/** Whether a node can reach another: what listens on loopback only its own machine can. */
function isReached({ facts, health }: Endpoint, { endpoint }: Caller): boolean {
  if (facts.source !== "node" || health.status !== "online") return false;
  const isNear = endpoint === undefined || isLoopback(endpoint.facts.url);
  return isNear || !isLoopback(facts.url);
}

function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}
