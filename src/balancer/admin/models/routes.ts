import type { App } from "../../../http/server/app.ts";
import { sendList } from "../../../http/server/jsonlist.ts";
import { PageQuery, pageOf } from "../../../http/server/page.ts";
import { decodedName, readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import type { Registry } from "../../../registry/registry.ts";
import { modelNotFound } from "../../inference/errors.ts";
import type { Providers } from "../../providers/providers.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { Holdings } from "../sync/holdings.ts";
import { findModelView, listModels } from "./listing.ts";
import { isVisibleTo, visibleTo } from "./visible.ts";

const PREFIX = "/v1/models/";

export interface ModelListRouteParts {
  pool: UpstreamPool;
  providers: Providers;
  registry: Registry;
  holdings: Holdings;
}

/**
 * `GET /v1/models` and `GET /v1/models/{id}`, whose id may contain slashes, encoded or not.
 * Requests with `anthropic-version` get the fields of Anthropic's API as well. The list is given in
 * pages to who asks for them (`limit`).
 */
export function routeModels(app: App, options: ModelListRouteParts): void {
  const { providers } = options;

  app.get("/v1/models", async function sendModels(c) {
    const query = readQuery(c, PageQuery);
    const own = listModels(options);
    const others = (await providers.models()).map((model) => ({ id: model.id, view: () => model }));
    const all = visibleTo(c, options.pool, [...own, ...others]);
    const { items, isAll, fields } = pageOf(all, query);
    const forAnthropic = isAnthropic(c);
    return sendList(c, {
      fields: { object: "list", ...(isAll && !forAnthropic ? {} : fields) },
      ...{ name: "data", items },
      view: (item) => (forAnthropic ? anthropicEntry(item.view()) : item.view()),
    });
  });

  app.get(`${PREFIX}*`, async function showModel(c) {
    const name = decodedName(c.req.path.slice(PREFIX.length));
    const model =
      findModelView(options, name) ?? (await providers.models()).find(({ id }) => id === name);
    if (model === undefined || !isVisibleTo(c, options.pool, model.id)) throw modelNotFound(name);
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
