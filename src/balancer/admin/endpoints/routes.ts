import { z } from "zod";
import type { State } from "../../../db/database.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { sendList } from "../../../http/server/jsonlist.ts";
import { withoutIdleLimit } from "../../../http/server/listen.ts";
import { PageQuery, pageOf } from "../../../http/server/page.ts";
import { calledOrigin } from "../../../http/server/peer.ts";
import { readQuery } from "../../../http/server/query.ts";
import { type AppContext, noteSubject } from "../../../http/server/scope.ts";
import {
  EndpointChangeBody,
  type EndpointDetail,
  EndpointKind,
  type EndpointList,
  EndpointStatus,
  type EndpointSync,
  type EndpointTest,
  NewEndpointBody,
} from "../../../wire/endpoint.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { CheckPersistence } from "../../health/persistence.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { changedFields, newEndpointFields, requireDeletable } from "./body.ts";
import type { EndpointRegistry } from "./registry.ts";
import { checkView, endpointModels, endpointView } from "./view.ts";

export interface EndpointRouteParts {
  endpointRegistry: EndpointRegistry;
  pool: UpstreamPool;
  monitor: Monitor;
  persistence: CheckPersistence;
  state: State;
}

const BODY_BYTES_MAX = 64 * 1024;
/** Longest wait for a check that a client asked for. */
const CHECK_MS_MAX = 30_000;
const CHECKS_MAX = 1000;
/** Whether an endpoint gets requests, as a path sets it. */
const DRAINS = [
  ["drain", true],
  ["undrain", false],
] as const;

export const EndpointQuery = z.object({
  status: EndpointStatus.optional(),
  kind: EndpointKind.optional(),
  /** Part of the name, in any case. */
  name: z.string().optional(),
});

export const CheckQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(CHECKS_MAX)).default(100),
  before: z.iso.datetime({ offset: true }).optional(),
});

/** Keeps the name of an endpoint for the record of what is done to it. */
function noted(c: AppContext, endpoint: Endpoint): Endpoint {
  noteSubject(c, endpoint.name);
  return endpoint;
}

/** Managing endpoints, under `/api/endpoints` and the older `/v0/endpoints`. */
export function routeEndpoints(app: App, parts: EndpointRouteParts): void {
  const { endpointRegistry, state } = parts;
  const endpointOf = (c: AppContext) => noted(c, endpointRegistry.get(c.req.param("id") ?? ""));

  async function detail(c: AppContext, endpoint: Endpoint): Promise<Response> {
    const fields = endpointView(endpoint, await state.endpoints.get(endpoint.id));
    return sendList(c, { fields, ...endpointModels(endpoint, "models") });
  }

  async function create(c: AppContext) {
    const { value } = await readJson(c, NewEndpointBody, BODY_BYTES_MAX);
    const endpoint = await endpointRegistry.create(
      await newEndpointFields(value, endpointRegistry),
    );
    const location = `${calledOrigin(c)}/api/endpoints/${endpoint.id}`;
    // Before anything is awaited: its first check may be done by then, and the answer is `pending`.
    const created: EndpointDetail = { ...endpointView(endpoint, undefined), models: [] };
    return c.json(created, 201, { location });
  }

  async function change(c: AppContext) {
    const endpoint = endpointOf(c);
    const { value } = await readJson(c, EndpointChangeBody, BODY_BYTES_MAX);
    await endpointRegistry.change(endpoint, await changedFields(endpoint, value, endpointRegistry));
    return detail(c, endpoint);
  }

  async function remove(c: AppContext) {
    const endpoint = endpointOf(c);
    requireDeletable(endpoint);
    await endpointRegistry.remove(endpoint);
    return c.body(null, 204);
  }

  for (const base of ["/api/endpoints", "/v0/endpoints"]) {
    app.post(base, create);
    app.get(base, async (c) => c.json(await list(parts, readQuery(c, EndpointQuery))));
    app.get(`${base}/:id`, (c) => detail(c, endpointOf(c)));
    app.put(`${base}/:id`, change);
    app.patch(`${base}/:id`, change);
    app.delete(`${base}/:id`, remove);
    app.post(`${base}/:id/test`, async (c) => {
      withoutIdleLimit(c);
      return c.json(await testEndpoint(parts, endpointOf(c)));
    });
    for (const [name, draining] of DRAINS) {
      app.post(`${base}/:id/${name}`, async (c) => {
        const endpoint = endpointOf(c);
        await endpointRegistry.drain(endpoint, draining);
        return detail(c, endpoint);
      });
    }
    app.post(`${base}/:id/sync`, async (c) => {
      withoutIdleLimit(c);
      const endpoint = endpointOf(c);
      const fields = await syncModels(parts, endpoint);
      return sendList(c, { fields, ...endpointModels(endpoint, "synced_models") });
    });
    routeLists(app, base, { endpointOf, state });
  }
}

/** What an endpoint has many of: its models, and its checks. */
function routeLists(
  app: App,
  base: string,
  { endpointOf, state }: { endpointOf(c: AppContext): Endpoint; state: State },
): void {
  app.get(`${base}/:id/models`, (c) => {
    const endpoint = endpointOf(c);
    const all = endpointModels(endpoint, "models");
    const { items, isAll, fields } = pageOf(all.items, readQuery(c, PageQuery));
    const page = { endpoint_id: endpoint.id, ...(isAll ? {} : fields) };
    return sendList(c, { ...all, items, fields: page });
  });
  app.get(`${base}/:id/checks`, async (c) => {
    const { limit, before } = readQuery(c, CheckQuery);
    const until = before === undefined ? {} : { before: Date.parse(before) };
    const { id } = endpointOf(c);
    const checks = await state.checks.of(id, { limit, ...until });
    return c.json({ endpoint_id: id, checks: checks.map(checkView) });
  });
}

async function list(
  { pool, state }: EndpointRouteParts,
  { status, kind, name }: z.infer<typeof EndpointQuery>,
): Promise<EndpointList> {
  const rows = new Map((await state.endpoints.list()).map((row) => [row.id, row]));
  const part = name?.toLowerCase() ?? "";
  const endpoints = pool.endpoints
    .map((endpoint) => endpointView(endpoint, rows.get(endpoint.id)))
    .filter((view) => status === undefined || view.status === status)
    .filter((view) => kind === undefined || view.kind === kind)
    .filter((view) => view.name.toLowerCase().includes(part));
  return { endpoints, total: endpoints.length };
}

/** Checks an endpoint now. The result is applied and saved as that of any other check. */
async function testEndpoint(
  { monitor }: EndpointRouteParts,
  endpoint: Endpoint,
): Promise<EndpointTest> {
  const result = await monitor.checkNow(endpoint, checkMs(endpoint));
  const { latencyMs: latency_ms } = result;
  if (!result.ok) return { success: false, latency_ms, error: result.reason, models_found: null };
  const models_found = [...result.models.keys()].sort();
  const endpoint_info = { model_count: models_found.length };
  const { requestError } = endpoint;
  const error =
    requestError === null ? null : `It lists models, but its last request failed: ${requestError}`;
  return { success: error === null, latency_ms, error, models_found, endpoint_info };
}

/** Reads an endpoint's models now and saves them before it answers. Throws 502 or 503. */
async function syncModels(
  { monitor, persistence }: EndpointRouteParts,
  endpoint: Endpoint,
): Promise<Omit<EndpointSync, "synced_models">> {
  const before = new Set(endpoint.models?.keys());
  const result = await monitor.checkNow(endpoint, checkMs(endpoint));
  if (!result.ok) {
    const message = `Reading the models of endpoint ${endpoint.name} failed: ${result.reason}. \
The list it gave last is kept.`;
    if (result.failure === "connection") {
      throw new ApiError("unavailable", message, { code: "connection_error" });
    }
    const code = result.failure === "status" ? "endpoint_error" : "parse_error";
    throw new ApiError("upstream", message, { code });
  }
  await persistence.saveModels(endpoint);
  const ids = [...result.models.keys()];
  const updated = ids.filter((id) => before.has(id)).length;
  return { added: ids.length - updated, removed: before.size - updated, updated };
}

function checkMs({ facts }: Endpoint): number {
  return Math.min(facts.inferenceTimeoutMs, CHECK_MS_MAX);
}
