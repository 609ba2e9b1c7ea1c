import type { App } from "../http/app.ts";
import type { ModelEntry } from "../wire/openai.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Fleet } from "./fleet.ts";
import { modelNotFound } from "./refusal.ts";

const PREFIX = "/v1/models/";

/** `GET /v1/models` and `GET /v1/models/{id}`, whose id may contain slashes, encoded or not. */
export function routeModels(app: App, fleet: Fleet): void {
  app.get("/v1/models", function listModels(c) {
    return c.json({ object: "list", data: fleet.models.map((id) => describe(fleet, id)) });
  });

  app.get(`${PREFIX}*`, function showModel(c) {
    const name = decoded(c.req.path.slice(PREFIX.length));
    const id = fleet.idOf(name);
    if (fleet.serving(id).length === 0) throw modelNotFound(name);
    return c.json(describe(fleet, id));
  });
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // Not percent-encoding: then it is the name itself, or no model's name at all.
  }
}

function describe(fleet: Fleet, id: string) {
  const serving = fleet.serving(id);
  const entries = serving.map((endpoint) => entryOf(endpoint, id));
  const { created, owned_by: owner } = entries[0] ?? {};
  return {
    id,
    object: "model",
    created: typeof created === "number" && created > 0 ? created : (serving[0]?.seenAt ?? 0),
    owned_by: typeof owner === "string" ? owner : "endpoint",
    ready: serving.some(({ health }) => health.status === "online"),
    aliases: fleet.aliasesOf(id),
    endpoint_ids: serving.map(({ name }) => name).sort(),
  };
}

function entryOf(endpoint: Endpoint, id: string): Partial<ModelEntry> {
  return endpoint.models?.get(endpoint.served.get(id) ?? id) ?? {};
}
