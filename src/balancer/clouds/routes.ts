import type { App } from "../../http/app.ts";
import type { CloudMetrics } from "./metrics.ts";

/** `GET /api/metrics/cloud` (and the older `/v0/…`): requests to clouds, in Prometheus' format. */
export function routeCloudMetrics(app: App, metrics: CloudMetrics): void {
  const show = async () => {
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.text(), { headers });
  };
  app.get("/api/metrics/cloud", show);
  app.get("/v0/metrics/cloud", show);
}
