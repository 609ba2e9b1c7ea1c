import type { App } from "../../../http/server/app.ts";
import { decodedName } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import type { Registry } from "../../../registry/registry.ts";
import { modelNotFound } from "../../inference/errors.ts";
import type { Providers } from "../../providers/providers.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { Holdings } from "../sync/holdings.ts";
import { findModelView, listModelViews } from "./listing.ts";

const PREFIX = "/v1/models/";

export interface ModelListRouteParts {
  pool: UpstreamPool;
  providers: Providers;
  registry: Registry;
  holdings: Holdings;
}

/**
 * `GET /v1/models` and `GET /v1/models/{id}`, whose id may contain slashes, encoded or not.
 * Requests with `anthropic-version` get the fields of Anthropic's API as well.
 */
export function routeModels(app: App, options: ModelListRouteParts): void {
  const { providers } = options;

  app.get("/v1/models", async function listModels(c) {
    const models = [...listModelViews(options), ...(await providers.models())];
    if (!isAnthropic(c)) return c.json({ object: "list", data: models });
    const page = { has_more: false, first_id: models[0]?.id ?? null };
    const last_id = models.at(-1)?.id ?? null;
    return c.json({ object: "list", data: models.map(anthropicEntry), ...page, last_id });
  });

  app.get(`${PREFIX}*`, async function showModel(c) {
    const name = decodedName(c.req.path.slice(PREFIX.length));
    const model =
      findModelView(options, name) ?? (await providers.models()).find(({ id }) => id === name);
    if (model === undefined) throw modelNotFound(name);
    return c.json(isAnthropic(c) ? anthropicEntry(model) : model);
  });
}

function isAnthropic({ req }: AppContext): boolean {
  return req.header("anthropic-version") !== undefined;
}

/**
 * Adds the fields of https://platform.claude.com/docs/en/api/models. A time that is unknown becomes
 * the year 1970.
 */
function anthropicEntry<M extends { id: string; created: number }>(model: M) {
  // An endpoint may list any number.
  const created = new Date(model.created * 1000);
  const isDate = !Number.isNaN(created.getTime());
  const created_at = (isDate ? created : new Date(0)).toISOString();
  return { ...model, type: "model", display_name: model.id, created_at };
}
