import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { withoutIdleLimit } from "../../../http/server/listen.ts";
import { type AppContext, noteSubject } from "../../../http/server/scope.ts";
import { monotonicMs } from "../../../lib/monotonic.ts";
import { refuseHostSettings } from "../../../registry/settingschange.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  FleetLoadBody,
  FleetResidencyBody,
  type LoadedModelList,
  RESIDENCY_ACTIONS,
  type ResidencyAnswer,
} from "../../../wire/residency.ts";
import type { Monitor } from "../../health/monitor.ts";
import { modelNotFound, noEndpoint } from "../../inference/errors.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { changeAt, type ResidencyChange, residencyRequest } from "./call.ts";
import { loadedModels, loadedState } from "./view.ts";

export interface ResidencyRouteParts {
  pool: UpstreamPool;
  monitor: Monitor;
  /** Learns anew what the endpoints have loaded. */
  refresh(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024;

/**
 * Which models are loaded at which endpoints, and the routes that change it: `POST
 * /api/models/load`, `unload`, `pin`, `unpin`. Without `endpoint`, a model is loaded and pinned
 * where it is loaded or soonest would be, and unloaded and unpinned everywhere; a load with
 * settings is for all that have it loaded. They answer when it is done. To be added before the
 * routes of the registry, whose ids could be such paths.
 */
export function routeResidency(app: App, parts: ResidencyRouteParts): void {
  const { pool, refresh } = parts;
  for (const base of ["/api/models", "/v0/models"]) {
    app.get(`${base}/loaded`, async (c) => {
      await refresh();
      return c.json<LoadedModelList>({ models: loadedModels(pool) });
    });
    for (const action of RESIDENCY_ACTIONS) {
      app.post(`${base}/${action}`, async (c) => {
        const schema = action === "load" ? FleetLoadBody : FleetResidencyBody;
        const { value } = await readJson(c, schema, BODY_BYTES_MAX);
        const { model: name, endpoint, keep_alive: keepAlive, settings }: FleetLoadBody = value;
        if (settings !== undefined) refuseHostSettings(settings);
        const model = pool.idOf(name);
        noteSubject(c, endpoint === undefined ? model : `${model} at ${endpoint}`);
        const change: ResidencyChange = { action, model, keepAlive, settings };
        return c.json(await applyChange(c, parts, { change, endpoint }));
      });
    }
  }
}

/** Asks the endpoints. Throws 404, 503, and if all fail 502, or 400 if it is for what was asked. */
async function applyChange(
  c: AppContext,
  { pool, monitor }: Pick<ResidencyRouteParts, "pool" | "monitor">,
  { change, endpoint }: { change: ResidencyChange; endpoint: string | undefined },
): Promise<ResidencyAnswer> {
  const { model, action } = change;
  const chosen = choose(pool, change, endpoint);
  withoutIdleLimit(c); // A load takes as long as it takes.
  const places = await Promise.all(
    chosen.map(async (one) => {
      const failure = await changeAt(one, change, c.req.raw.signal);
      await monitor.checkNow(one);
      const error = failure?.message ?? null;
      return { failure, place: { endpoint: one.name, state: loadedState(one, model), error } };
    }),
  );
  const failures = places.flatMap(({ failure }) => failure ?? []);
  const endpoints = places.map(({ place }) => place);
  if (failures.length < endpoints.length) return { model, endpoints };
  if (failures.every(({ isRefusal }) => isRefusal)) {
    const [{ message } = { message: "The request is invalid." }] = failures;
    const param = change.settings === undefined ? undefined : "settings";
    throw new ApiError("invalid_request", message, { param });
  }
  const why = endpoints.map(({ endpoint: name, error }) => `${name}: ${error}`).join("; ");
  throw new ApiError("upstream", `The ${action} of ${model} failed at ${why}`, { param: "model" });
}

function choose(pool: UpstreamPool, change: ResidencyChange, name: string | undefined) {
  const { model, action } = change;
  const serving = pool.serving(model);
  if (serving.length === 0) throw modelNotFound(model);
  const named = serving.filter((one) => name === undefined || one.name === name);
  if (named.length === 0) throw notThere(model, name ?? "", serving);
  const online = named.filter(({ health }) => health.status === "online");
  if (online.length === 0) throw noEndpoint(model, pool.endpoints.length);
  const able = online.filter((one) => residencyRequest(one, model, change) !== undefined);
  if (able.length === 0) {
    const usual = "nodes of llmlb, Ollama and llama-server's router";
    const those = change.settings === undefined ? usual : "nodes of llmlb, where settings are set";
    const message = `The ${action} of ${model} is not possible: none of its endpoints can be asked \
for it, only ${those}.`;
    throw new ApiError("conflict", message, { code: "unsupported_endpoint", param: "model" });
  }
  if (action === "unload" || action === "unpin") return able;
  // Whoever asks next gets one that is loaded: all of these must run in the same way.
  const loaded = change.settings && able.filter((one) => loadedState(one, model) === "loaded");
  if (loaded?.length) return loaded;
  const open = able.filter(({ isDraining }) => !isDraining);
  return soonest(open.length > 0 ? open : able, model);
}

/** The endpoint that has the model loaded, or would have it soonest. */
function soonest(endpoints: readonly Endpoint[], model: string): Endpoint[] {
  const nowMs = monotonicMs();
  const leftMs = (endpoint: Endpoint) => endpoint.warmth.loadLeftMs(model, nowMs);
  return endpoints.toSorted((a, b) => leftMs(a) - leftMs(b)).slice(0, 1);
}

function notThere(model: string, name: string, serving: readonly Endpoint[]): ApiError {
  const names = serving.map((one) => one.name).slice(0, 20);
  const message = `The endpoint ${JSON.stringify(name)} does not have ${model}. These do: \
${names.join(", ")}.`;
  return new ApiError("not_found", message, { code: "endpoint_not_found", param: "endpoint" });
}
