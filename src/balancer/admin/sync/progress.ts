import type { App } from "../../../http/server/app.ts";
import { notRegistered } from "../../../registry/registeredmodels.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { ModelProgress } from "../../../wire/sync.ts";
import type { Holdings } from "./holdings.ts";
import { modelInPath } from "./modelpath.ts";

export interface ProgressRouteParts {
  registry: Registry;
  holdings: Holdings;
}

const ENDING = "/progress";

/**
 * `GET /api/models/{id}/progress`: how far the nodes are with fetching a model; 404 if it is not
 * registered. To be added before the routes of the registry, whose ids have slashes.
 */
export function routeProgress(app: App, { registry, holdings }: ProgressRouteParts): void {
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
      return c.json<ModelProgress>({ model: id, ...progress, state, nodes });
    });
  }
}
