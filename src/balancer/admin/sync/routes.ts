import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { notRegistered } from "../../../registry/registeredmodels.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { Manifest } from "../../../wire/manifest.ts";
import { DownloadLeaseBody, ModelReportBody } from "../../../wire/sync.ts";
import type { Monitor } from "../../health/monitor.ts";
import { nodeWarmth } from "../../health/warmthreport.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import { type NodePrincipalParts, nodePrincipalOf } from "../nodes/principal.ts";
import { assignmentOf } from "./assignment.ts";
import type { DownloadSources } from "./downloadsource.ts";
import type { Holdings } from "./holdings.ts";

export interface SyncRouteParts extends NodePrincipalParts {
  registry: Registry;
  holdings: Holdings;
  downloads: DownloadSources;
  monitor: Monitor;
  /** Names of all nodes. */
  nodes(): string[];
}

const BODY_BYTES_MAX = 64 * 2 ** 20;

/**
 * What nodes ask of the balancer and report to it about models. Each node sends its own credential;
 * without a valid one the answer is 401.
 */
export function routeSync(app: App, parts: SyncRouteParts): void {
  const { registry, downloads, nodes } = parts;
  const base = "/api/nodes/:id/models";

  app.get(base, async (c) => {
    const { name } = await nodePrincipalOf(c, parts);
    const text = JSON.stringify(assignmentOf(registry, name, nodes()));
    const etag = `"${Bun.hash(text).toString(36)}"`;
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, { etag });
    return c.body(text, 200, { etag, "content-type": "application/json" });
  });

  app.get(`${base}/manifest`, async (c) => {
    const node = await nodePrincipalOf(c, parts);
    const model = c.req.query("model") ?? "";
    const manifest = await registry.manifest(model, c.req.raw.signal);
    const files = manifest.artifacts.map(({ filename }) => filename);
    const peers = downloads.peersFor(node, { ...manifest, files });
    return c.json<Manifest>({ ...manifest, peers });
  });

  app.post(`${base}/turn`, async (c) => {
    const node = await nodePrincipalOf(c, parts);
    const { value } = await readJson(c, DownloadLeaseBody, BODY_BYTES_MAX);
    if (registry.get(value.model) === undefined) throw notRegistered(value.model);
    return c.json(downloads.choose(node, value));
  });

  app.post(`${base}/report`, async (c) => {
    const { endpoint } = await nodePrincipalOf(c, parts);
    const { value } = await readJson(c, ModelReportBody, BODY_BYTES_MAX);
    if (endpoint !== undefined) applyReport(endpoint, value, parts);
    return c.body(null, 204);
  });
}

/** Keeps a node's report. A node that lists other models than before is checked at once. */
function applyReport(endpoint: Endpoint, report: ModelReportBody, parts: SyncRouteParts): void {
  const { holdings, downloads, monitor } = parts;
  holdings.report(endpoint, report);
  const active = report.models.filter(({ state }) => state === "waiting" || state === "pulling");
  const pulling = new Set(active.map(({ id }) => id.toLowerCase()));
  downloads.leases.releaseExcept(endpoint.id, (model) => pulling.has(model.toLowerCase()));
  const warmth = report.loaded && nodeWarmth(report.loaded);
  if (warmth !== undefined) monitor.warmthChanged(endpoint, warmth);
  const { models } = endpoint;
  const names = new Set(report.serves);
  const isSame = models?.size === names.size && [...names].every((name) => models.has(name));
  if (!isSame) void monitor.checkNow(endpoint);
}
