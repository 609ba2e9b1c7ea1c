import type { Malformed } from "./requests.ts";

/**
 * How a route can be asked wrongly:
 *
 * - `plain`: with a wrong method only
 * - `list`: for a part of it that makes no sense
 * - `thing`: for something that there is not; what else is wrong counts less
 * - `json`: with what is no JSON object, or too large
 * - `entries`: the same, but its body is a list
 * - `strict`: the same, and with fields that it does not have
 * - `optional`: the same as `strict`, but the body may be missing
 * - `form`: with what is no form
 * - `closed`: without the credential that it asks for
 * - `unmanaged`: at all
 */
type Kind =
  | "plain"
  | "list"
  | "thing"
  | "json"
  | "entries"
  | "strict"
  | "optional"
  | "form"
  | "closed"
  | "unmanaged";

/** A route as an app has it: `POST /v1/messages`. */
export interface ListedRoute {
  method: string;
  path: string;
}

/** A balancer's routes; those under `/v0` are the same as under `/api`. */
const BALANCER: Record<string, Kind> = {
  "GET /": "plain",
  "GET /health": "plain",
  "GET /ready": "plain",
  "GET /metrics": "plain",
  "GET /v1/models": "plain",
  "GET /v1/models/*": "thing",
  "GET /api/version": "plain",
  "GET /api/openapi.json": "plain",
  "GET /api/docs": "plain",
  "GET /api/tags": "plain",
  "GET /api/ps": "plain",
  "POST /api/show": "json",
  "POST /api/pull": "unmanaged",
  "POST /api/push": "unmanaged",
  "POST /api/create": "unmanaged",
  "POST /api/copy": "unmanaged",
  "POST /api/blobs/:digest": "unmanaged",
  "DELETE /api/delete": "unmanaged",
  "POST /api/endpoints": "strict",
  "GET /api/endpoints": "list",
  "GET /api/endpoints/:id": "thing",
  "PUT /api/endpoints/:id": "thing",
  "PATCH /api/endpoints/:id": "thing",
  "DELETE /api/endpoints/:id": "thing",
  "POST /api/endpoints/:id/test": "thing",
  "POST /api/endpoints/:id/sync": "thing",
  "POST /api/endpoints/:id/drain": "thing",
  "POST /api/endpoints/:id/undrain": "thing",
  "GET /api/endpoints/:id/models": "thing",
  "GET /api/endpoints/:id/checks": "thing",
  "GET /api/endpoints/:id/logs": "thing",
  "GET /api/logs": "list",
  "GET /api/dashboard/logs/lb": "list",
  "GET /api/log/level": "plain",
  "POST /api/log/level": "strict",
  "GET /log/level": "plain",
  "POST /log/level": "strict",
  "GET /api/models": "list",
  "POST /api/models/register": "strict",
  "GET /api/models/loaded": "plain",
  "POST /api/models/load": "strict",
  "POST /api/models/unload": "strict",
  "POST /api/models/pin": "strict",
  "POST /api/models/unpin": "strict",
  "GET /api/models/hub": "plain",
  "POST /api/models/preview": "strict",
  "GET /api/models/registry/*": "thing",
  "GET /api/models/*": "thing",
  "PATCH /api/models/*": "strict",
  "DELETE /api/models/*": "thing",
  "POST /api/models/*": "thing",
  "POST /api/enrolment-tokens": "strict",
  "GET /api/enrolment-tokens": "plain",
  "GET /api/enrolment-tokens/:id": "thing",
  "DELETE /api/enrolment-tokens/:id": "thing",
  "GET /api/nodes": "plain",
  "POST /api/nodes": "json",
  "POST /api/nodes/:id/announce": "closed",
  "POST /api/nodes/:id/leave": "closed",
  "GET /api/nodes/:id/workers/:name": "closed",
  "GET /api/nodes/:id/models": "closed",
  "GET /api/nodes/:id/models/manifest": "closed",
  "POST /api/nodes/:id/models/turn": "closed",
  "POST /api/nodes/:id/models/report": "closed",
  "GET /api/queue/stats": "plain",
  "GET /api/metrics/cloud": "plain",
  "GET /api/settings": "plain",
  "GET /api/settings/storage": "plain",
  "GET /api/prices": "plain",
  "PUT /api/prices/:model": "strict",
  "DELETE /api/prices/:model": "thing",
  "GET /api/keys": "plain",
  "POST /api/keys": "strict",
  "GET /api/keys/:id": "thing",
  "PATCH /api/keys/:id": "thing",
  "DELETE /api/keys/:id": "thing",
  "POST /api/keys/:id/rotate": "thing",
  "POST /api/keys/:id/revoke": "thing",
  "GET /api/users": "plain",
  "POST /api/users": "strict",
  "GET /api/users/:id": "thing",
  "PUT /api/users/:id": "thing",
  "PATCH /api/users/:id": "thing",
  "DELETE /api/users/:id": "thing",
  "POST /api/auth/login": "json",
  "POST /api/auth/register": "json",
  // Nobody can have logged in: the specs that walk this need no key.
  "POST /api/auth/logout": "plain",
  "PUT /api/auth/password": "plain",
  "GET /api/auth/me": "plain",
  "GET /api/auth/oidc/login": "thing",
  "GET /api/auth/oidc/callback": "thing",
  "GET /api/auth/sessions": "plain",
  "DELETE /api/auth/sessions/:id": "thing",
  "GET /api/invitations": "plain",
  "POST /api/invitations": "strict",
  "DELETE /api/invitations/:id": "thing",
  "GET /api/requests": "list",
  "GET /api/requests/:id": "thing",
  "GET /api/usage": "list",
  "GET /api/usage/export": "list",
  "GET /dashboard": "plain",
  "GET /dashboard/*": "plain",
  "GET /dashboard/assets/*": "plain",
  "GET /api/events": "plain",
  "GET /api/metrics/recent": "plain",
  "GET /api/dashboard/request-responses": "list",
  "GET /api/dashboard/request-responses/:id": "thing",
  "GET /api/dashboard/request-history": "plain",
  "GET /api/dashboard/stats/tokens": "plain",
  "GET /api/dashboard/stats/tokens/daily": "plain",
  "GET /api/dashboard/stats/tokens/monthly": "plain",
  "GET /api/audit": "list",
  "GET /api/audit/export": "list",
  "POST /api/audit/verify": "optional",
  "GET /api/dashboard/audit-logs": "list",
  "POST /api/dashboard/audit-logs/verify": "plain",
  "POST /api/chat": "json",
  "POST /api/generate": "json",
  "POST /api/embed": "json",
  "POST /api/embeddings": "json",
  "POST /v1/chat/completions": "json",
  "POST /v1/completions": "json",
  "POST /v1/embeddings": "json",
  "POST /v1/responses": "json",
  "GET /v1/responses/:id": "thing",
  "DELETE /v1/responses/:id": "thing",
  "POST /v1/responses/:id/cancel": "thing",
  "GET /v1/responses/:id/input_items": "thing",
  "POST /v1/messages": "json",
  "POST /v1/messages/count_tokens": "json",
  "POST /v1/rerank": "json",
  "POST /v1/audio/speech": "json",
  "POST /v1/images/generations": "json",
  "POST /v1/audio/transcriptions": "form",
  "POST /v1/audio/translations": "form",
  "POST /v1/images/edits": "form",
  "POST /v1/images/variations": "form",
};

/** A node's routes. */
const NODE: Record<string, Kind> = {
  "GET /health": "plain",
  "GET /startup": "plain",
  "GET /ready": "plain",
  "GET /metrics": "plain",
  "GET /slots": "plain",
  "GET /props": "plain",
  "GET /lora-adapters": "plain",
  "GET /v1/models": "plain",
  "GET /v1/models/*": "thing",
  "GET /api/system": "plain",
  "GET /api/logs": "list",
  "GET /api/log/level": "plain",
  "POST /api/log/level": "strict",
  "GET /log/level": "plain",
  "POST /log/level": "strict",
  "GET /api/rpc": "plain",
  "GET /api/models": "plain",
  "POST /api/models/pull": "optional",
  "POST /api/models/load": "strict",
  "POST /api/models/unload": "strict",
  "POST /api/models/pin": "strict",
  "POST /api/models/unpin": "strict",
  "POST /models/load": "json",
  "POST /models/unload": "json",
  "GET /api/models/pulls": "plain",
  "GET /api/models/pulls/:id": "thing",
  "GET /api/models/files/:model/:file": "thing",
  "DELETE /api/models/*": "thing",
  "POST /v1/chat/completions": "json",
  "POST /v1/completions": "json",
  "POST /v1/embeddings": "json",
  "POST /v1/responses": "json",
  "POST /v1/messages": "json",
  "POST /v1/messages/count_tokens": "json",
  "POST /v1/rerank": "json",
  "POST /v1/audio/transcriptions": "form",
  "POST /chat/completions": "json",
  "POST /rerank": "json",
  "POST /reranking": "json",
  "POST /v1/reranking": "json",
  "POST /audio/transcriptions": "form",
  "POST /completion": "json",
  "POST /completions": "json",
  "POST /embedding": "json",
  "POST /embeddings": "json",
  "POST /chat/completions/input_tokens": "json",
  "POST /v1/chat/completions/input_tokens": "json",
  "POST /v1/chat/completions/control": "json",
  "POST /props": "json",
  "POST /lora-adapters": "entries",
  "POST /slots/:id_slot": "thing",
  "POST /infill": "json",
  "POST /apply-template": "json",
  "POST /tokenize": "json",
  "POST /detokenize": "json",
};

const TABLES = { balancer: BALANCER, node: NODE };
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const JSON_TYPE = { "content-type": "application/json" };
const OWN_PAGE = { origin: "http://llm.example", "sec-fetch-site": "same-origin" };
/** The largest body that any route takes, enrolments, is larger than what the specs allow. */
const ENROLMENT = "/api/nodes";

/** The wrong requests to every route of a part, and the routes of which no kind is known. */
export function malformedRoutes(
  part: "balancer" | "node",
  routes: ListedRoute[],
  limitBytes: number,
) {
  const known = TABLES[part];
  const listed = routes.filter(({ method }) => method !== "ALL");
  const kindOf = ({ method, path }: ListedRoute) =>
    known[`${method} ${path.replace("/v0/", "/api/")}`];
  const unknown = listed.filter((route) => kindOf(route) === undefined);
  const gone = Object.keys(known).filter(
    (key) => !listed.some(({ method, path }) => key === `${method} ${path}`),
  );
  const paths = [...new Set(listed.map(({ path }) => path))];
  const requests = [
    ...paths.flatMap((path) => otherMethods(path, listed)),
    ...listed.flatMap((route) => askedWrongly(route, kindOf(route) ?? "plain", limitBytes)),
  ];
  return { requests, unknown, gone };
}

/** Methods that no route of this path has. */
function otherMethods(path: string, routes: ListedRoute[]): Malformed[] {
  const concrete = filled(path);
  const known = routes.filter((route) => covers(route.path, concrete));
  return METHODS.filter((method) => !known.some((route) => route.method === method)).map(
    (method) => ({ what: `method ${method}`, path: concrete, method, status: 405 }),
  );
}

function askedWrongly({ method, path }: ListedRoute, kind: Kind, limitBytes: number): Malformed[] {
  const asked = (what: string, status?: number, more: Partial<Malformed> = {}): Malformed => {
    const expected = status === undefined ? {} : { status };
    // What is done to a model has a word behind its name.
    const target = method === "POST" ? filled(path.replace("*", "*/pull")) : filled(path);
    return { what: `${method}: ${what}`, path: target, method, ...expected, ...more };
  };
  const body = (text: string, type: Record<string, string> = JSON_TYPE) => {
    return { body: text, headers: type };
  };
  const large = body(`{"pad":"${"x".repeat(limitBytes)}"}`);
  const noObject = [
    asked("half an object", 400, body('{"a":')),
    asked("a list", 400, body("[]")),
    asked("no UTF-8", 400, { headers: JSON_TYPE, body: new Uint8Array([0x7b, 0xff, 0x7d]) }),
    ...(path === ENROLMENT ? [] : [asked("too large", 413, large)]),
  ];
  const json = [
    ...noObject,
    asked("nothing", 400, body("")),
    // Ollama's routes take it from programs, nobody from web pages, not even from the server's own.
    asked("text", 415, body("{}", { ...OWN_PAGE, "content-type": "text/plain" })),
    asked("compressed", 415, {
      headers: { ...JSON_TYPE, "content-encoding": "gzip" },
      body: Bun.gzipSync("{}"),
    }),
  ];
  const form = { "content-type": "multipart/form-data; boundary=b" };
  switch (kind) {
    case "plain":
      return [];
    case "list":
      return [asked("no number, no state", 400, { path: `${path}?limit=x&status=x` })];
    case "thing":
      if (method !== "GET" && method !== "DELETE") return [asked("no such thing", 404, body("{}"))];
      return [asked("no such thing", 404), ...oddNames(method, path)];
    case "json":
      return json;
    case "entries":
      return [...json.filter(({ what }) => !what.endsWith("a list")), asked("{}", 400, body("{}"))];
    case "strict":
      return [...json, asked("an unknown field", 400, body('{"nonsense":1}'))];
    case "optional":
      return [...noObject, asked("an unknown field", 400, body('{"nonsense":1}'))];
    case "form":
      return [
        asked("JSON", 415, body("{}")),
        asked("no boundary", undefined, body("", { "content-type": "multipart/form-data" })),
        asked("nothing", 400, body("", form)),
        asked("a form that ends early", 400, body("--b\r\nContent-Disposition: form-data", form)),
        asked("an empty form", 400, body("--b--\r\n", form)),
      ];
    case "closed":
      return [asked("no credential", 401, method === "GET" ? {} : body("{}"))];
    case "unmanaged":
      return [asked("anything", 501, method === "POST" ? body("{}") : {})];
  }
}

/** Names that cannot be decoded, and names that nothing has; the answer is any 4xx. */
function oddNames(method: string, path: string): Malformed[] {
  return ["%zz", "%ff", "%00", "..%2f..%2f", "x".repeat(5000)].map((name) => ({
    what: `${method}: the name ${name.slice(0, 20)}`,
    path: filled(path.replace(/:\w+|\*/, name)),
    method,
  }));
}

function filled(path: string): string {
  return path.replaceAll(/:\w+/g, "nothing").replace("*", "nothing");
}

/** Whether a route's pattern stands for a path. */
function covers(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(/:\w+/g, "[^/]+").replace("/*", "/.*");
  return new RegExp(`^${source}$`).test(path);
}
