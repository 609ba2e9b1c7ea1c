import type { App } from "../../http/app.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Clouds } from "../clouds/clouds.ts";
import type { Fleet } from "../fleet.ts";
import { modelNotFound } from "../refusal.ts";
import type { Holdings } from "./holdings.ts";
import { listedModel, listedModels } from "./registeredview.ts";

const PREFIX = "/v1/models/";

export interface ModelsOptions {
  fleet: Fleet;
  clouds: Clouds;
  registry: Registry;
  holdings: Holdings;
}

/** `GET /v1/models` and `GET /v1/models/{id}`, whose id may contain slashes, encoded or not. */
export function routeModels(app: App, options: ModelsOptions): void {
  const { clouds } = options;

  app.get("/v1/models", async function listModels(c) {
    const models = listedModels(options);
    return c.json({ object: "list", data: [...models, ...(await clouds.models())] });
  });

  app.get(`${PREFIX}*`, async function showModel(c) {
    const name = decoded(c.req.path.slice(PREFIX.length));
    const model = listedModel(options, name);
    if (model !== undefined) return c.json(model);
    const cloud = (await clouds.models()).find((model) => model.id === name);
    if (cloud === undefined) throw modelNotFound(name);
    return c.json(cloud);
  });
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // Not percent-encoding: then it is the name itself, or no model's name at all.
  }
}
