import type { App, AppContext } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { decodedName } from "../../../http/server/query.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Registry } from "../../../registry/registry.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Manifest } from "../../../wire/manifest.ts";
import { DownloadLeaseBody, type ModelProgress, ModelReportBody } from "../../../wire/sync.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import { wantedList } from "./assigned.ts";
import { type CallerParts, callerOf } from "./caller.ts";
import type { DownloadQueue } from "./downloads.ts";
import type { Holdings } from "./holdings.ts";

export interface SyncRouteParts extends CallerParts {
  registry: Registry;
  holdings: Holdings;
  turns: DownloadQueue;
  monitor: Monitor;
  /** Names of all nodes that there are. */
  nodes(): string[];
  log: Logger;
}

const BODY_BYTES_MAX = 64 * 2 ** 20;
const PROGRESS = "/progress";

/** What nodes ask and tell of models, each with its own credential. */
export function routeSync(app: App, parts: SyncRouteParts): void {
  const { registry, turns, nodes } = parts;
  const base = "/api/nodes/:id/models";

  app.get(base, async (c) => {
    const { name } = await callerOf(c, parts);
    const text = JSON.stringify(wantedList(registry, name, nodes()));
    const etag = `"${Bun.hash(text).toString(36)}"`;
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, { etag });
    return c.body(text, 200, { etag, "content-type": "application/json" });
  });

  app.get(`${base}/manifest`, async (c) => {
    const caller = await callerOf(c, parts);
    const model = c.req.query("model") ?? "";
    const manifest = await registry.manifest(model, c.req.raw.signal);
    const files = manifest.artifacts.map(({ filename }) => filename);
    const peers = turns.peersFor(caller, { ...manifest, files });
    return c.json<Manifest>({ ...manifest, peers });
  });

  app.post(`${base}/turn`, async (c) => {
    const caller = await callerOf(c, parts);
    const { value } = await readJson(c, DownloadLeaseBody, BODY_BYTES_MAX);
    if (registry.get(value.model) === undefined) throw notRegistered(value.model);
    return c.json(turns.take(caller, value));
  });

  app.post(`${base}/report`, async (c) => {
    const { endpoint } = await callerOf(c, parts);
    const { value } = await readJson(c, ModelReportBody, BODY_BYTES_MAX);
    if (endpoint !== undefined) hear(endpoint, value, parts);
    return c.body(null, 204);
  });
}

/** Takes note of what a node has; if it lists other models than before, that is looked at now. */
function hear(endpoint: Endpoint, told: ModelReportBody, parts: SyncRouteParts): void {
  const { holdings, turns, monitor } = parts;
  holdings.tell(endpoint, told);
  const active = told.models.filter(({ state }) => state === "waiting" || state === "pulling");
  const fetching = new Set(active.map(({ id }) => id.toLowerCase()));
  turns.leases.keepOnly(endpoint.id, (model) => fetching.has(model.toLowerCase()));
  const { models } = endpoint;
  const names = new Set(told.serves);
  const isSame = models?.size === names.size && [...names].every((name) => models.has(name));
  if (!isSame) void monitor.checkNow(endpoint);
}

/**
 * `GET /api/models/{id}/progress`: how far the nodes are with a model. Goes before the routes of
 * the registry, whose ids have slashes.
 */
export function routeProgress(
  app: App,
  { registry, holdings }: Pick<SyncRouteParts, "registry" | "holdings">,
): void {
  for (const base of ["/api/models", "/v0/models"]) {
    app.get(`${base}/*`, async function showProgress(c, next) {
      const name = nameIn(c, base, PROGRESS);
      // A repository may be called so.
      if (name === undefined || registry.resolve(name + PROGRESS) !== undefined) return next();
      const id = registry.resolve(name)?.id;
      if (id === undefined) throw notRegistered(name);
      const { etaS: _, error: _error, ...fetching } = holdings.fetching(id);
      // A node that has it is asked for its list first: requests go there once that has it.
      const told = fetching.state === "ready" ? "caching" : fetching.state;
      const state = registry.isReady(id) ? "ready" : told;
      const nodes = holdings.of(id).map(({ endpoint, model: { id: _id, ...held } }) => {
        return { node: endpoint.name, ...held };
      });
      return c.json<ModelProgress>({ model: id, ...fetching, state, nodes });
    });
  }
}

/** The model in a path below `base` that ends in `end`; undefined for any other path. */
export function nameIn(c: AppContext, base: string, end: string): string | undefined {
  const path = c.req.path.slice(base.length + 1);
  if (!path.endsWith(end)) return undefined;
  return decodedName(path.slice(0, -end.length));
}

function notRegistered(name: string): ApiError {
  const message = `Model not found: ${name}. See GET /api/models for what is registered.`;
  return new ApiError("not_found", message, { code: "model_not_found", param: "model" });
}
