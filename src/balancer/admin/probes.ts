import { VERSION } from "../../config/version.ts";
import type { App } from "../../http/server/app.ts";
import type { Drain } from "../../http/server/drain.ts";
import type { NodeReadiness } from "../../wire/system.ts";
import { isInUse } from "../routing/selection.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

export interface ProbeRouteParts {
  pool: UpstreamPool;
  drain: Drain;
}

/** Keeps what a node beside this balancer, the endpoint of that name, says of itself. */
export type SetReadiness = (name: string, readiness: NodeReadiness) => void;

const READY: NodeReadiness = { status: "ready" };
const DRAINING: NodeReadiness = { status: "draining" };
const NO_ENDPOINT = { status: "no_endpoint" };

/**
 * `GET /health`: the process runs. `GET /ready`: it can serve requests: an endpoint is online
 * and not drained that is not known to have no model it can load, and the process is not shutting
 * down; else 503. Both
 * are public and show no addresses.
 */
export function routeProbes(app: App, { pool, drain }: ProbeRouteParts): SetReadiness {
  const readiness = new Map<string, NodeReadiness>();
  app.get("/health", function showHealth(c) {
    return c.json({ status: "ok", version: VERSION });
  });

  app.get("/ready", function showReadiness(c) {
    const endpoints = pool.endpoints.map(({ name, health, models, isDraining }) => ({
      ...{ name, status: health.status, models: models?.size ?? 0 },
      ...(isDraining && { draining: true }),
    }));
    const online = pool.endpoints.filter(isInUse);
    const states = online.map(({ name }) => readiness.get(name) ?? READY);
    const best = states.find(({ status }) => status === "ready") ?? states[0] ?? NO_ENDPOINT;
    const { status, ...reason } = drain.closing ? DRAINING : best;
    return c.json({ status, ...reason, endpoints }, status === "ready" ? 200 : 503);
  });
  return (name, state) => readiness.set(name, state);
}
