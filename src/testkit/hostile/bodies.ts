/** A right body for each route of management that takes one; those under `/v0` take the same. */
const BODIES: Record<string, object> = {
  "POST /api/endpoints": {
    ...{ name: "hostile", base_url: "http://127.0.0.1:1", api_key: "key", notes: "note" },
    models: ["m"],
  },
  "PUT /api/endpoints/:id": { name: "hostile", base_url: "http://127.0.0.1:1", notes: "note" },
  "PATCH /api/endpoints/:id": { name: "hostile", notes: "note", models: ["m"] },
  "POST /api/models/register": { repo: "org/name", filename: "a.gguf", name: "name" },
  "POST /api/models/preview": { repo: "org/name", filename: "a.gguf" },
  "PATCH /api/models/*": { name: "name", notes: "note", chat_template: "{{ messages }}" },
  "POST /api/models/*": {},
  "POST /api/models/load": {
    ...{ model: "none", endpoint: "none", keep_alive: "5m" },
    settings: { chat_template: "{{ messages }}" },
  },
  "POST /api/models/unload": { model: "none", endpoint: "none" },
  "POST /api/models/pin": { model: "none", endpoint: "none" },
  "POST /api/models/unpin": { model: "none", endpoint: "none" },
  "POST /api/log/level": { level: "info" },
  "POST /log/level": { level: "info" },
  "PUT /api/prices/:model": { input_per_million: 1, output_per_million: 2 },
  "POST /api/keys": {
    ...{ name: "hostile", user: "admin", permissions: ["endpoints.read"], models: ["m"] },
    ...{ notes: "note", expires_at: "2030-01-01T00:00:00Z", limits: { priority: "low" } },
  },
  "PATCH /api/keys/:id": { name: "hostile", permissions: ["endpoints.read"], models: ["m"] },
  "POST /api/keys/:id/rotate": {},
  "POST /api/keys/:id/revoke": {},
  "POST /api/users": { username: "hostile", role: "viewer", password: "correct horse" },
  "PUT /api/users/:id": { username: "hostile", role: "viewer", password: "correct horse" },
  "PATCH /api/users/:id": { username: "hostile", role: "viewer", password: "correct horse" },
  "POST /api/auth/login": { username: "admin", password: "wrong" },
  "POST /api/auth/register": { invitation_code: "x", username: "y", password: "correct horse" },
  "PUT /api/auth/password": { current_password: "wrong", new_password: "correct horse" },
  "POST /api/auth/logout": {},
  "POST /api/invitations": { role: "viewer", note: "note" },
  "POST /api/enrolment-tokens": { note: "note", max_uses: 1 },
  "POST /api/nodes": {
    ...{ token: "x", node_id: "3d6f0a5e-7b0c-4a3e-9d52-1a2b3c4d5e6f", name: "n", version: "1" },
    ...{ url: "http://127.0.0.1:1", port: 1 },
  },
  "POST /api/nodes/:id/announce": { url: "http://127.0.0.1:1", port: 1 },
  "POST /api/nodes/:id/leave": {},
  "POST /api/nodes/:id/models/turn": { model: "m", revision: "r", files: [] },
  "POST /api/nodes/:id/models/report": { models: [], serves: ["m"] },
  "POST /api/endpoints/:id/test": {},
  "POST /api/endpoints/:id/sync": {},
  "POST /api/endpoints/:id/drain": {},
  "POST /api/endpoints/:id/undrain": {},
  "POST /api/audit/verify": {},
  "POST /api/dashboard/audit-logs/verify": {},
  "POST /api/show": { model: "m" },
  "POST /api/pull": { model: "m" },
  "POST /api/push": { model: "m" },
  "POST /api/create": { model: "m", from: "n" },
  "POST /api/copy": { source: "m", destination: "n" },
  "DELETE /api/delete": { model: "m" },
  "POST /api/blobs/:digest": {},
};

/** The right body of a route; undefined: none is known. */
export function rightBody(route: string): object | undefined {
  return BODIES[route.replace(" /v0/", " /api/")];
}

/** The body once for each text in it, with another text in its place. */
export function withEachText(body: object, text: string): object[] {
  return Object.entries(body as Record<string, unknown>).flatMap(([name, value]): object[] => {
    if (typeof value === "string") return [{ ...body, [name]: text }];
    if (Array.isArray(value)) return [{ ...body, [name]: [text] }];
    if (typeof value !== "object" || value === null) return [];
    return withEachText(value, text).map((inner) => ({ ...body, [name]: inner }));
  });
}
