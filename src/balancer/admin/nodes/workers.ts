import { signTicket } from "../../../auth/ticket.ts";
import type { App } from "../../../http/server/app.ts";
import { decodedName } from "../../../http/server/query.ts";
import { ApiError } from "../../../wire/error.ts";
import type { WorkerAnswer } from "../../../wire/lending.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { type NodePrincipalParts, nodePrincipalOf } from "./principal.ts";
import { canReach } from "./reach.ts";

/** Enough to open a tunnel; one that is open stays so. */
const TICKET_MS = 60_000;

/**
 * `GET /api/nodes/{id}/workers/{name}`: where a node that lends its devices is, and a ticket for
 * them, so that no node needs another's key. The node that asks sends its own credential.
 */
export function routeWorkers(app: App, parts: NodePrincipalParts): void {
  app.get("/api/nodes/:id/workers/:name", async (c) => {
    const node = await nodePrincipalOf(c, parts);
    const worker = workerNamed(decodedName(c.req.param("name")), parts.pool);
    if (!canReach(node, worker)) throw notReachable(worker);
    const { url, apiKey, fingerprint } = worker.facts;
    const ticket = { kind: "devices", subject: "", expiresAt: Date.now() + TICKET_MS } as const;
    return c.json<WorkerAnswer>({
      ...{ name: worker.name, url },
      ticket: apiKey === undefined ? null : signTicket(ticket, apiKey),
      ...(fingerprint === null ? {} : { tls_fingerprint: fingerprint }),
    });
  });
}

function workerNamed(name: string, { endpoints }: Pick<UpstreamPool, "endpoints">): Endpoint {
  const workers = endpoints.filter(({ lending }) => lending !== undefined);
  const worker = workers.find((one) => one.name === name);
  if (worker !== undefined) return worker;
  const names = workers.map((one) => one.name).slice(0, 20);
  const there = names.length === 0 ? "None does." : `There are: ${names.join(", ")}.`;
  const message = `No node that lends its devices is called ${JSON.stringify(name.slice(0, 100))} \
here. ${there}`;
  throw new ApiError("not_found", message, { code: "worker_not_found" });
}

function notReachable({ name, facts }: Endpoint): ApiError {
  const message = `The devices of ${name} cannot be used from another machine: this balancer \
reaches it at ${facts.url} only. Let it listen elsewhere (--host), or name the way (--advertise).`;
  return new ApiError("conflict", message, { code: "worker_on_loopback" });
}
