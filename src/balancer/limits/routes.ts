import type { App } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import type { AppContext } from "../../http/server/scope.ts";
import { ApiError } from "../../wire/error.ts";
import { PriceBody, type PriceListAnswer, type PriceView } from "../../wire/price.ts";
import type { PriceList } from "./prices.ts";

const BODY_BYTES_MAX = 4096;
const BASE = "/api/prices";

/** What models cost: `GET /api/prices`, `PUT` and `DELETE /api/prices/{pattern}`. */
export function routePrices(app: App, prices: PriceList): void {
  app.get(BASE, (c) => c.json<PriceListAnswer>({ prices: prices.rows.map(priceView) }));

  app.put(`${BASE}/:model`, async (c) => {
    const { value } = await readJson(c, PriceBody, BODY_BYTES_MAX);
    const { input_per_million: input, output_per_million: output } = value;
    const row = { pattern: patternOf(c), input, output, cached: value.cached_per_million ?? null };
    await prices.set(row);
    return c.json(priceView(row));
  });

  app.delete(`${BASE}/:model`, async (c) => {
    const pattern = patternOf(c);
    if (await prices.remove(pattern)) return c.body(null, 204);
    const message = `There is no price of ${pattern}.`;
    throw new ApiError("not_found", message, { code: "price_not_found" });
  });
}

function priceView(row: PriceList["rows"][number]): PriceView {
  return {
    model: row.pattern,
    input_per_million: row.input,
    output_per_million: row.output,
    cached_per_million: row.cached,
  };
}

/** A name or pattern; its slashes are written as %2F. */
function patternOf(c: AppContext): string {
  return c.req.param("model") ?? "";
}
