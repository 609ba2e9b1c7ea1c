import type { Permission } from "../wire/permission.ts";
import { ROUTE_LIST } from "../wire/route.ts";

/**
 * What a route asks of a request: nothing; a log-in, even if its password must be changed first; a
 * key or a log-in, whoever's (he sees what is his own); a node's own credential, which the route
 * itself checks; or a permission. `local` waives it for this machine.
 */
export type Rule = "public" | "session" | "signed-in" | "node" | Permission | { local: Permission };

/** Each management path, and the older one of the same. */
const MODELS = ["/api/models", "/v0/models"];
const ENDPOINTS = ["/api/endpoints", "/v0/endpoints"];
const TOKENS = ["/api/enrolment-tokens", "/v0/enrolment-tokens"];

/** Every route of the balancer, as it is registered, and its rule. What has none is refused. */
const TABLE: Record<string, Rule> = {
  ...Object.fromEntries(
    ROUTE_LIST.map(({ path }) => [`POST ${path}`, "openai.inference"] as const),
  ),
  "GET /v1/responses/:id": "openai.inference",
  "GET /v1/responses/:id/input_items": "openai.inference",
  "POST /v1/responses/:id/cancel": "openai.inference",
  "DELETE /v1/responses/:id": "openai.inference",
  "GET /v1/models": "openai.models.read",
  "GET /v1/models/*": "openai.models.read",

  "GET /": "public",
  "GET /dashboard": "public",
  "GET /dashboard/*": "public",
  "GET /dashboard/assets/*": "public",
  "GET /health": "public",
  "GET /ready": "public",
  "GET /metrics": { local: "metrics.read" },

  "GET /api/version": "public",
  "GET /api/openapi.json": "public",
  "GET /api/docs": "public",
  "GET /api/tags": "openai.models.read",
  "GET /api/ps": "openai.models.read",
  "POST /api/show": "openai.models.read",
  "POST /api/blobs/:digest": "models.manage",
  "POST /api/pull": "models.manage",
  "POST /api/push": "models.manage",
  "POST /api/create": "models.manage",
  "POST /api/copy": "models.manage",
  "DELETE /api/delete": "models.manage",

  ...on(ENDPOINTS, {
    "GET ": "endpoints.read",
    "POST ": "endpoints.manage",
    "GET /:id": "endpoints.read",
    "PUT /:id": "endpoints.manage",
    "PATCH /:id": "endpoints.manage",
    "DELETE /:id": "endpoints.manage",
    "POST /:id/test": "endpoints.manage",
    "POST /:id/drain": "endpoints.manage",
    "POST /:id/undrain": "endpoints.manage",
    "POST /:id/sync": "endpoints.manage",
    "GET /:id/models": "endpoints.read",
    "GET /:id/checks": "endpoints.read",
    "GET /:id/logs": "logs.read",
  }),
  "GET /api/logs": "logs.read",
  "GET /v0/logs": "logs.read",
  "GET /api/dashboard/logs/lb": "logs.read",
  "GET /v0/dashboard/logs/lb": "logs.read",
  ...on(["/api/log/level", "/log/level"], { "GET ": "logs.read", "POST ": "endpoints.manage" }),
  "GET /api/settings": "settings.read",
  "GET /api/settings/storage": "settings.read",
  "GET /api/prices": "registry.read",
  "PUT /api/prices/:model": "models.manage",
  "DELETE /api/prices/:model": "models.manage",
  ...on(["/api/keys"], {
    "GET ": "signed-in",
    "POST ": "signed-in",
    "GET /:id": "signed-in",
    "PATCH /:id": "api_keys.manage",
    "DELETE /:id": "signed-in",
    "POST /:id/rotate": "signed-in",
    "POST /:id/revoke": "signed-in",
  }),
  ...on(["/api/users", "/v0/users"], {
    "GET ": "users.manage",
    "POST ": "users.manage",
    "GET /:id": "users.manage",
    "PUT /:id": "users.manage",
    "PATCH /:id": "users.manage",
    "DELETE /:id": "users.manage",
  }),
  ...on(["/api/requests", "/v0/requests"], { "GET ": "signed-in" }),
  ...on(["/api/usage", "/v0/usage"], { "GET ": "signed-in", "GET /export": "signed-in" }),
  ...on(["/api/requests", "/v0/requests"], {
    "GET /:id": "signed-in",
  }),
  ...on(["/api/dashboard", "/v0/dashboard"], {
    "GET /request-responses": "signed-in",
    "GET /request-responses/:id": "signed-in",
    "GET /request-history": "signed-in",
    "GET /stats/tokens": "signed-in",
    "GET /stats/tokens/daily": "signed-in",
    "GET /stats/tokens/monthly": "signed-in",
  }),
  ...on(["/api/auth", "/v0/auth"], {
    "POST /login": "public",
    "POST /logout": "session",
    // The invitation is in the body.
    "POST /register": "public",
  }),
  ...on(["/api/invitations", "/v0/invitations"], {
    "GET ": "invitations.manage",
    "POST ": "invitations.manage",
    "DELETE /:id": "invitations.manage",
  }),
  "GET /api/auth/me": "public",
  "GET /api/auth/oidc/login": "public",
  "GET /api/auth/oidc/callback": "public",
  "GET /v0/auth/me": "signed-in",
  "PUT /api/auth/password": "session",
  "GET /api/auth/sessions": "signed-in",
  "DELETE /api/auth/sessions/:id": "signed-in",
  ...on(["/api/audit"], {
    "GET ": "audit.read",
    "GET /export": "audit.read",
    "POST /verify": "audit.read",
  }),
  ...on(["/api/dashboard/audit-logs", "/v0/dashboard/audit-logs"], {
    "GET ": "audit.read",
    "POST /verify": "audit.read",
  }),
  "GET /api/events": "endpoints.read",
  "GET /api/metrics/recent": "endpoints.read",
  "GET /api/queue/stats": "endpoints.read",
  "GET /api/metrics/cloud": "metrics.read",
  "GET /v0/metrics/cloud": "metrics.read",

  ...on(TOKENS, {
    "GET ": "endpoints.manage",
    "POST ": "endpoints.manage",
    "GET /:id": "endpoints.manage",
    "DELETE /:id": "endpoints.manage",
  }),
  "GET /api/nodes": "settings.read",
  // The token is in the body.
  "POST /api/nodes": "public",
  "POST /api/nodes/:id/announce": "node",
  "POST /api/nodes/:id/leave": "node",
  "GET /api/nodes/:id/workers/:name": "node",
  "GET /api/nodes/:id/models": "node",
  "GET /api/nodes/:id/models/manifest": "node",
  "POST /api/nodes/:id/models/turn": "node",
  "POST /api/nodes/:id/models/report": "node",

  ...on(MODELS, {
    "GET ": "registry.read",
    "POST /register": "models.manage",
    // The balancer asks the hub with its own token.
    "POST /preview": "models.manage",
    "GET /loaded": "registry.read",
    "POST /load": "models.manage",
    "POST /unload": "models.manage",
    "POST /pin": "models.manage",
    "POST /unpin": "models.manage",
    "GET /hub": "registry.read",
    "GET /registry/*": "registry.read",
    "GET /*": "registry.read",
    "POST /*": "models.manage",
    "PATCH /*": "models.manage",
    "DELETE /*": "models.manage",
  }),
};

const RULES: ReadonlyMap<string, Rule> = new Map(Object.entries(TABLE));

/** The rule of a route, by its method and path as it is registered: `GET /api/endpoints/:id`. */
export function ruleOf(route: string): Rule | undefined {
  return RULES.get(route);
}

/** The same routes below several paths. */
function on(bases: string[], routes: Record<string, Rule>): Record<string, Rule> {
  const all = Object.entries(routes);
  const below = (base: string) =>
    all.map(([route, rule]) => [route.replace(" ", ` ${base}`), rule] as const);
  return Object.fromEntries(bases.flatMap(below));
}
