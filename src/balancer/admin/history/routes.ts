import type { App } from "../../../http/server/app.ts";
import { routeDashboard } from "./dashboard.ts";
import { type HistoryRouteParts, routeRequests } from "./requests.ts";
import { routeUsage } from "./usage.ts";

/** Reading what was asked, by whom, and how much was used. */
export function routeHistory(app: App, parts: HistoryRouteParts): void {
  routeRequests(app, parts);
  routeUsage(app, parts);
  routeDashboard(app, parts);
}
