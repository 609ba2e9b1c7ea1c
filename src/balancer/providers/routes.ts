import type { App } from "../../http/server/app.ts";
import type { ProviderMetrics } from "./metrics.ts";

/** `GET /api/metrics/cloud` (and the older `/v0/…`): requests to clouds, in Prometheus' format. */
export function routeProviderMetrics(app: App, metrics: ProviderMetrics): void {
  const show = async () => {
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.text(), { headers });
  };
  app.get("/api/metrics/cloud", show);
  app.get("/v0/metrics/cloud", show);
}
