import { z } from "zod";
import { forward } from "../../../http/proxy/forward.ts";
import type { App } from "../../../http/server/app.ts";
import { withoutIdleLimit } from "../../../http/server/listen.ts";
import { readQuery } from "../../../http/server/query.ts";
import { type AppContext, callerOf } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import { isFollowing, type LogAnswer, LogEntryView, LogQuery, linesOf } from "../../../wire/log.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import { getJson } from "../../upstream/jsonclient.ts";
import type { EndpointRegistry } from "./registry.ts";

const ANSWER_MS_MAX = 10_000;
/** Longer than a stream of an llmlb lasts: quiet logs are no failure. */
const STREAM_MS_MAX = 180_000;
const SILENCE_MS_MAX = 60_000;

const EndpointLog = z.object({
  entries: z.array(z.unknown()).max(1000),
  path: z.string().nullish(),
});

/** `GET /api/endpoints/:id/logs`: the log of an endpoint that is an llmlb, as it tells it. */
export function routeEndpointLogs(app: App, registry: EndpointRegistry): void {
  for (const base of ["/api/endpoints", "/v0/endpoints"]) {
    app.get(`${base}/:id/logs`, async (c) => {
      const query = readQuery(c, LogQuery);
      const endpoint = registry.get(c.req.param("id") ?? "");
      if (isFollowing(query)) return await follow(c, endpoint, query);
      return c.json<LogAnswer>(await read(c, endpoint, query));
    });
  }
}

async function read(c: AppContext, endpoint: Endpoint, query: LogQuery): Promise<LogAnswer> {
  const answer = await getJson(endpoint, pathOf(query), {
    timeoutMs: ANSWER_MS_MAX,
    signal: c.req.raw.signal,
  });
  if (!answer.ok) throw unreadable(endpoint, answer.reason);
  const { data } = EndpointLog.safeParse(answer.json);
  if (data === undefined) throw unreadable(endpoint, "its answer is none of an llmlb");
  const entries = data.entries.flatMap((one) => LogEntryView.safeParse(one).data ?? []);
  return { source: `endpoint:${endpoint.name}`, entries, path: data.path ?? null };
}

async function follow(c: AppContext, endpoint: Endpoint, query: LogQuery): Promise<Response> {
  withoutIdleLimit(c);
  const last_event_id = query.last_event_id ?? c.req.header("last-event-id");
  const { response } = await forward({
    target: endpoint.target(pathOf({ ...query, last_event_id })),
    method: "GET",
    headers: new Headers(),
    body: null,
    requestId: c.var.requestId,
    dialect: "openai",
    caller: callerOf(c),
    firstByteTimeoutMs: ANSWER_MS_MAX,
    contentTimeoutMs: STREAM_MS_MAX,
    idleTimeoutMs: SILENCE_MS_MAX,
  });
  const type = response.headers.get("content-type") ?? "";
  if (response.ok && type.startsWith("text/event-stream")) return response;
  await response.body?.cancel();
  throw unreadable(endpoint, `it answered HTTP ${response.status}`);
}

function pathOf(query: LogQuery): string {
  const { limit: _limit, tail: _tail, ...rest } = query;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const asked = new URLSearchParams(given as [string, string][]);
  // The name that earlier programs know as well.
  asked.set("tail", String(linesOf(query)));
  return `/api/logs?${asked}`;
}

function unreadable({ name }: Endpoint, reason: string): ApiError {
  const message = `Reading the log of endpoint ${name} failed: ${reason}. Only an llmlb has one \
that can be read from here.`;
  return new ApiError("upstream", message, { code: "endpoint_log_unreadable" });
}
