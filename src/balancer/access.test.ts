import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Rule, ruleOf } from "../auth/accesstable.ts";
import { type FakeBalancer, fakeBalancer } from "../testkit/balancer.ts";
import { fakeEndpoint } from "../testkit/servers/endpoint.ts";
import { MadeKeyAnswer } from "../wire/account.ts";
import { LoginAnswer } from "../wire/login.ts";
import { PERMISSIONS, type Permission, ROLE_PERMISSIONS } from "../wire/permission.ts";

/** Every route of a running balancer, as the router knows it, against every kind of credential. */

// Passwords are hashed, which takes a busy machine its time.
setDefaultTimeout(30_000);

const ADMIN = "local_test";
let front: FakeBalancer;
let endpoint: ReturnType<typeof fakeEndpoint>;
/** By permission: a key that has it alone. */
const keys = new Map<Permission, string>();
let viewer = "";
let viewerId = "";
/** The headers of a page of each role that has logged in. */
const pages: { admin: Page; viewer: Page } = { admin: {}, viewer: {} };
type Page = Record<string, string>;

beforeAll(async () => {
  endpoint = fakeEndpoint(["qwen3", "llama"], () =>
    Response.json({ choices: [{ message: { content: "hi" } }] }),
  );
  front = await fakeBalancer(
    { a: endpoint.url },
    { access: "required", adminPassword: "correct horse" },
    ADMIN,
  );
  const user = await send("POST /api/users", ADMIN, { username: "eve", password: "12345678" });
  viewerId = ((await user.json()) as { id: string }).id;
  const make = async (body: object) =>
    MadeKeyAnswer.parse(await (await send("POST /api/keys", ADMIN, body)).json()).key;
  for (const one of PERMISSIONS) keys.set(one, await make({ name: one, permissions: [one] }));
  viewer = await make({ name: "v", user: "eve", permissions: [...ROLE_PERMISSIONS.viewer] });
  pages.admin = await logIn("admin", "correct horse");
  const passwords = { current_password: "12345678", new_password: "another one" };
  const changed = await send("PUT /api/auth/password", await logIn("eve", "12345678"), passwords);
  pages.viewer = await pageOf(changed);
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

function send(route: string, who?: string | Page, body?: object): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const proof = typeof who === "string" ? { authorization: `Bearer ${who}` } : who;
  const headers = { "content-type": "application/json", ...proof };
  const url = front.url + path.replace(/:\w+|\*/g, "none");
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(url, { method, headers, ...json });
}

async function logIn(username: string, password: string): Promise<Page> {
  return pageOf(await send("POST /api/auth/login", undefined, { username, password }));
}

/** What a page sends after a log-in. */
async function pageOf(response: Response): Promise<Page> {
  const { csrf_token } = LoginAnswer.parse(await response.json());
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
  return { cookie: cookies.join("; "), "x-csrf-token": csrf_token };
}

/** Whether the door let a request in; what the route makes of it does not matter. */
async function isLetIn(route: string, who?: string | Page): Promise<boolean> {
  const response = await send(route, who);
  if (response.status !== 401 && response.status !== 403) return true;
  const text = await response.text();
  expect(text).not.toContain("nothing says who may");
  // Not every API's errors have a code.
  return !/key is needed|request was refused|insufficient_permissions/.test(text);
}

/** Whether a route asks all keys for the same. */
function isOfKeys(rule: Rule | undefined): rule is "public" | Permission {
  return typeof rule === "string" && !["node", "session", "signed-in"].includes(rule);
}

function routes(): string[] {
  const all = front.balancer.app.routes.filter(({ method }) => method !== "ALL");
  return [...new Set(all.map(({ method, path }) => `${method} ${path}`))];
}

test("each route has a rule", () => {
  const all = routes();
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter((route) => ruleOf(route) === undefined)).toEqual([]);
});

test("who does not show who he is gets in nowhere but where all may", async () => {
  for (const route of routes()) {
    const rule = ruleOf(route);
    if (rule === "node" || typeof rule === "object") continue;
    expect([route, await isLetIn(route)]).toEqual([route, rule === "public"]);
    expect([route, await isLetIn(route, "sk_unknown")]).toEqual([route, rule === "public"]);
  }
});

test("an admin gets in everywhere", async () => {
  for (const route of routes()) {
    const rule = ruleOf(route);
    if (rule === "node") continue;
    expect([route, await isLetIn(route, ADMIN)]).toEqual([route, rule !== "session"]);
  }
});

test.each(["admin", "viewer"] as const)(
  "a page of the role %s gets in where it may",
  async (role) => {
    const page = pages[role];
    const { "x-csrf-token": _, ...forged } = page;
    for (const route of routes()) {
      const rule = ruleOf(route);
      if (rule === "node" || rule === undefined || route.endsWith("/logout")) continue;
      const may =
        ["public", "session", "signed-in"].includes(rule as string) ||
        ROLE_PERMISSIONS[role].includes(rule as Permission) ||
        (typeof rule === "object" && ROLE_PERMISSIONS[role].includes(rule.local));
      expect([route, await isLetIn(route, page)]).toEqual([route, may]);
      const isSafe = rule === "public" || route.startsWith("GET ");
      expect([route, await isLetIn(route, forged)]).toEqual([route, may && isSafe]);
      expect([route, await isLetIn(route, { ...forged, "x-csrf-token": "x" })]).toEqual([
        route,
        may && isSafe,
      ]);
    }
    expect((await send("POST /api/auth/logout", forged)).status).toBe(403);
    expect((await send("POST /api/auth/logout", page)).status).toBe(204);
    expect((await send("GET /v1/models", page)).status).toBe(401);
  },
);

test("a viewer gets in where his role may", async () => {
  for (const route of routes()) {
    const rule = ruleOf(route);
    if (!isOfKeys(rule)) continue;
    const may = rule === "public" || ROLE_PERMISSIONS.viewer.includes(rule);
    expect([route, await isLetIn(route, viewer)]).toEqual([route, may]);
  }
});

test("a key of one permission gets in where that is asked for", async () => {
  for (const [permission, key] of keys) {
    for (const route of routes()) {
      const rule = ruleOf(route);
      if (!isOfKeys(rule)) continue;
      const may = rule === "public" || rule === permission;
      expect([route, await isLetIn(route, key)]).toEqual([route, may]);
    }
  }
});

describe("a key", () => {
  const make = async (body: object, key = ADMIN) => {
    const response = await send("POST /api/keys", key, body);
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  test("is refused by the next request once it is revoked, rotated, or expired", async () => {
    const { body } = await make({ name: "short" });
    const { key = "", id } = body;
    expect((await send("GET /v1/models", key)).status).toBe(200);
    const rotated = (await (
      await send(`POST /api/keys/${id}/rotate`, ADMIN)
    ).json()) as typeof body;
    expect((await send("GET /v1/models", key)).status).toBe(401);
    expect((await send("GET /v1/models", rotated.key)).status).toBe(200);
    await send(`PATCH /api/keys/${id}`, ADMIN, { expires_at: "2020-01-01T00:00:00Z" });
    const expired = await send("GET /v1/models", rotated.key);
    expect([expired.status, await expired.text()]).toEqual([
      401,
      expect.stringContaining("expired"),
    ]);
    await send(`PATCH /api/keys/${id}`, ADMIN, { expires_at: null });
    await send(`POST /api/keys/${id}/revoke`, ADMIN);
    expect(await (await send("GET /v1/models", rotated.key)).text()).toContain("revoked");
  });

  test("cannot make a stronger one, nor take others away", async () => {
    const manager = keys.get("api_keys.manage");
    const { status } = await make({ name: "all", permissions: ["users.manage"] }, manager);
    expect(status).toBe(403);
    const weak = keys.get("openai.inference");
    expect((await make({ name: "another" }, weak)).status).toBe(403);
    const list = (await (await send("GET /api/keys", weak)).json()) as { keys: { id: string }[] };
    const removed = await send(`DELETE /api/keys/${list.keys[0]?.id}`, weak);
    expect(removed.status).toBe(403);
  });

  test("that manages users makes no admin, and gets at none", async () => {
    const manager = keys.get("users.manage");
    const admin = { username: "mallory", role: "admin", password: "12345678" };
    expect((await send("POST /api/users", manager, admin)).status).toBe(403);
    expect((await send("POST /api/users", manager, { ...admin, role: "viewer" })).status).toBe(201);
    const raised = await send("PATCH /api/users/mallory", manager, { role: "admin" });
    expect(raised.status).toBe(403);
    const taken = await send("PATCH /api/users/admin", manager, { password: "12345678" });
    expect(taken.status).toBe(403);
    expect((await send("DELETE /api/users/admin", manager)).status).toBe(403);
  });

  test("of class high is made by nobody for himself", async () => {
    const manager = keys.get("api_keys.manage");
    const body = { name: "fast", permissions: ["api_keys.manage"], limits: { priority: "high" } };
    expect((await make(body, manager)).status).toBe(201);
  });

  test("of a viewer has what a viewer may, and shows only his own", async () => {
    const { status } = await make({ name: "x", user: "eve", permissions: ["endpoints.manage"] });
    expect(status).toBe(400);
    const list = (await (await send("GET /api/keys", viewer)).json()) as {
      keys: { name: string }[];
    };
    expect(list.keys.map(({ name }) => name)).toEqual(["v"]);
  });

  test("may be bound to models", async () => {
    const { body } = await make({ name: "bound", models: ["qwen*"] });
    const chat = (model: string) =>
      send("POST /v1/chat/completions", body.key, { model, messages: [] });
    expect(await (await chat("llama")).text()).toContain("model_not_allowed");
    expect((await chat("qwen3")).status).toBe(200);
    const { data } = (await (await send("GET /v1/models", body.key)).json()) as { data: unknown };
    expect(data).toEqual([expect.objectContaining({ id: "qwen3" })]);
    expect((await send("GET /v1/models/llama", body.key)).status).toBe(404);
    const tags = await (await send("GET /api/tags", body.key)).text();
    expect([tags.includes("qwen3"), tags.includes("llama")]).toEqual([true, false]);
  });
});

test("the last admin stays one, and a removed user's keys are refused", async () => {
  expect((await send("DELETE /api/users/admin", ADMIN)).status).toBe(409);
  expect((await send("PATCH /api/users/admin", ADMIN, { role: "viewer" })).status).toBe(409);
  expect((await send(`DELETE /api/users/${viewerId}`, ADMIN)).status).toBe(204);
  expect((await send("GET /v1/models", viewer)).status).toBe(401);
});
