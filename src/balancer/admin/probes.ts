import { VERSION } from "../../config/version.ts";
import type { App } from "../../http/server/app.ts";
import type { Drain } from "../../http/server/drain.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

export interface ProbeRouteParts {
  pool: UpstreamPool;
  drain: Drain;
}

/**
 * `GET /health`: the process runs. `GET /ready`: it can serve requests: an endpoint is online, and
 * the process is not shutting down; else 503. Both are public and show no addresses.
 */
export function routeProbes(app: App, { pool, drain }: ProbeRouteParts): void {
  app.get("/health", function showHealth(c) {
    return c.json({ status: "ok", version: VERSION });
  });

  app.get("/ready", function showReadiness(c) {
    const endpoints = pool.endpoints.map(({ name, health, models }) => ({
      name,
      status: health.status,
      models: models?.size ?? 0,
    }));
    const online = endpoints.some(({ status }) => status === "online");
    const status = drain.closing ? "draining" : online ? "ready" : "no_endpoint";
    return c.json({ status, endpoints }, status === "ready" ? 200 : 503);
  });
}
