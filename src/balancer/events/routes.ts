import { z } from "zod";
import type { App } from "../../http/server/app.ts";
import { withoutIdleLimit } from "../../http/server/listen.ts";
import { readQuery } from "../../http/server/query.ts";
import { principalOf } from "../../http/server/scope.ts";
import { type RecentMetrics, RecentSpan } from "../../wire/event.ts";
import type { LiveEvents } from "./liveevents.ts";

export const EventQuery = z.object({ last_event_id: z.string().max(100).optional() });
export const RecentMetricsQuery = z.object({ span: RecentSpan.default("hour") });

/**
 * `GET /api/events`: what happens, as it happens. A page that was away for a moment says with
 * `Last-Event-ID`, or with `last_event_id`, what it has.
 * `GET /api/metrics/recent`: the last hour or day.
 */
export function routeEvents(app: App, events: LiveEvents): void {
  app.get("/api/events", function followEvents(c) {
    const { last_event_id } = readQuery(c, EventQuery);
    const lastId = c.req.header("last-event-id") ?? last_event_id;
    withoutIdleLimit(c);
    return new Response(events.hub.listen(principalOf(c), lastId), {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        // Proxies would wait for more of it.
        "x-accel-buffering": "no",
      },
    });
  });

  app.get("/api/metrics/recent", function showRecentMetrics(c) {
    return c.json<RecentMetrics>(events.recent.of(readQuery(c, RecentMetricsQuery).span));
  });
}
