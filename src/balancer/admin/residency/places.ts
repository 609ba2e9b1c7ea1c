import type { App } from "../../../http/server/app.ts";
import type { ModelPlace, ModelPlaces } from "../../../wire/modelplace.ts";
import { RESIDENCY_ACTIONS } from "../../../wire/residency.ts";
import { shownStatus } from "../../health/healthstate.ts";
import { modelNotFound } from "../../inference/errors.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { modelInPath } from "../sync/modelpath.ts";
import { residencyRequest } from "./call.ts";
import { loadedState } from "./view.ts";

export interface PlaceRouteParts {
  pool: UpstreamPool;
  registry: { resolve(name: string): { id: string } | undefined };
  /** Learns anew what the endpoints have loaded. */
  refresh(): Promise<void>;
}

const ENDING = "/endpoints";

/**
 * `GET /api/models/{id}/endpoints`: the endpoints that serve a model, whether it is loaded there,
 * and what they can be asked to do with it; 404 for a model that is neither registered nor served.
 * To be added before the routes of the registry, whose ids have slashes.
 */
export function routePlaces(app: App, { pool, registry, refresh }: PlaceRouteParts): void {
  for (const base of ["/api/models", "/v0/models"]) {
    app.get(`${base}/*`, async function showPlaces(c, next) {
      const name = modelInPath(c, base, ENDING);
      // The name of a repository may end like this.
      if (name === undefined || registry.resolve(name + ENDING) !== undefined) return next();
      const model = pool.idOf(name);
      const serving = pool.serving(model);
      if (serving.length === 0 && registry.resolve(name) === undefined) throw modelNotFound(name);
      await refresh();
      const endpoints = serving.map((endpoint) => placeOf(endpoint, model));
      endpoints.sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
      return c.json<ModelPlaces>({ model, endpoints });
    });
  }
}

function placeOf(endpoint: Endpoint, model: string): ModelPlace {
  const { active, bytes, expiresAt, isPinned } = endpoint.warmth.detailOf(model);
  const state = loadedState(endpoint, model);
  const status = shownStatus(endpoint.health);
  const isOnline = endpoint.health.status === "online";
  const actions = RESIDENCY_ACTIONS.filter((action) => {
    const change = { action, model, keepAlive: undefined };
    return isOnline && residencyRequest(endpoint, model, change) !== undefined;
  });
  return {
    ...{ endpoint: endpoint.name, endpoint_id: endpoint.id, status, state, actions },
    ...{ active_requests: active, size_bytes: bytes ?? null },
    expires_at: state === "loaded" ? (expiresAt ?? null) : null,
    pinned: isPinned === true,
  };
}
