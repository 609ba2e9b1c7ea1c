import type { App } from "../../../http/server/app.ts";
import { requiredMemory } from "../../../model/memory.ts";
import { notRegistered } from "../../../registry/registeredmodels.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { RegisteredModel } from "../../../wire/registry.ts";
import { type ModelProgress, TOO_LARGE } from "../../../wire/sync.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { proposeWorkers } from "../nodes/workerproposal.ts";
import type { Holdings } from "./holdings.ts";
import { modelInPath } from "./modelpath.ts";

export interface ProgressRouteParts {
  registry: Registry;
  pool: Pick<UpstreamPool, "endpoints">;
  holdings: Holdings;
}

const ENDING = "/progress";

/**
 * `GET /api/models/{id}/progress`: how far the nodes are with fetching a model; 404 if it is not
 * registered. To be added before the routes of the registry, whose ids have slashes.
 */
export function routeProgress(app: App, { registry, holdings, pool }: ProgressRouteParts): void {
  for (const base of ["/api/models", "/v0/models"]) {
    app.get(`${base}/*`, async function showProgress(c, next) {
      const name = modelInPath(c, base, ENDING);
      // The name of a repository may end like this.
      if (name === undefined || registry.resolve(name + ENDING) !== undefined) return next();
      const id = registry.resolve(name)?.id;
      if (id === undefined) throw notRegistered(name);
      const { etaS: _, error: _error, ...progress } = holdings.progress(id);
      // A node has the model, but requests go there only once the node lists it.
      const reported = progress.state === "ready" ? "caching" : progress.state;
      const state = registry.isReady(id) ? "ready" : reported;
      const nodes = holdings.of(id).map(({ endpoint, model: { id: _id, ...model } }) => {
        return { node: endpoint.name, ...model };
      });
      const workers = proposalFor(registry.get(id), nodes, pool);
      const proposed = workers === undefined ? {} : { proposed_workers: workers };
      return c.json<ModelProgress>({ model: id, ...progress, state, nodes, ...proposed });
    });
  }
}

/** The workers for a model that is too large for every node that should have it. */
function proposalFor(
  model: RegisteredModel | undefined,
  nodes: ModelProgress["nodes"],
  { endpoints }: Pick<UpstreamPool, "endpoints">,
): string[] | undefined {
  const isTooLarge = nodes.length > 0 && nodes.every(({ error }) => error?.code === TOO_LARGE);
  if (model === undefined || !isTooLarge || model.settings?.workers !== undefined) return undefined;
  const sizes = model.variants.map((one) => one.size_bytes);
  const smallest = Math.min(...(sizes.length > 0 ? sizes : [model.size_bytes]));
  const offers = endpoints.flatMap(({ name, lending, health }) => {
    const isOnline = health.status === "online";
    return isOnline && lending !== undefined ? [{ name, freeBytes: lending.freeBytes }] : [];
  });
  return proposeWorkers(requiredMemory(smallest), offers);
}
