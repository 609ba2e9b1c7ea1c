import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import { temporaryHome } from "../../../testkit/command.ts";
import { until } from "../../../testkit/eventually.ts";
import { fakeEndpoint } from "../../../testkit/servers/endpoint.ts";
import { AuditPage, type AuditRecordView, AuditVerdict } from "../../../wire/audit.ts";

const LOCAL = "local_test";
const PASSWORD = "correct horse";
let home: ReturnType<typeof temporaryHome>;
let front: FakeBalancer;
let endpoint: ReturnType<typeof fakeEndpoint>;

beforeAll(async () => {
  home = temporaryHome();
  endpoint = fakeEndpoint(["qwen3"], () => Response.json({ choices: [] }));
  const settings = { access: "required", adminPassword: PASSWORD, home: home.path } as const;
  front = await fakeBalancer({ a: endpoint.url }, settings, LOCAL);
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
  home[Symbol.dispose]();
});

function send(route: string, body?: object, key: string | undefined = LOCAL): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const headers = {
    "content-type": "application/json",
    ...(key !== "" && { authorization: `Bearer ${key}` }),
  };
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(front.url + path, { method, headers, ...json });
}

async function records(query = ""): Promise<AuditRecordView[]> {
  return AuditPage.parse(await (await send(`GET /api/audit?limit=1000&${query}`)).json()).records;
}

/** The newest record of a request that has been answered. */
async function recordOf(response: Response): Promise<AuditRecordView | undefined> {
  return (await records(`request_id=${response.headers.get("x-request-id")}`))[0];
}

describe("what is recorded", () => {
  test("the start, with the admin that it made", async () => {
    expect((await records()).at(-1)).toMatchObject({
      ...{ seq: 1, action: "system", subject: "llmlb started", actor_kind: "system" },
      details: { access: "required", first_admin: "admin" },
    });
  });

  test("a change, before it is answered: by whom, of what, which fields; no secret", async () => {
    const made = await send("POST /api/users", { username: "eve", password: "hunter2hunter2" });
    expect(await recordOf(made)).toMatchObject({
      ...{ action: "change", route: "POST /api/users", path: "/api/users", subject: "eve" },
      ...{ status: 201, actor_kind: "local", address: "127.0.0.1", count: 1 },
      details: { changed: expect.arrayContaining(["username", "password"]) },
    });
    const { id } = (await made.json()) as { id: string };
    const changed = await send(`PATCH /api/users/${id}`, { role: "admin" });
    expect(await recordOf(changed)).toMatchObject({
      ...{ route: "PATCH /api/users/:id", path: `/api/users/${id}`, subject: "eve" },
      details: { changed: ["role"], role: "admin" },
    });
    expect(JSON.stringify(await records())).not.toContain("hunter2");
  });

  test("the key and its owner that changed something", async () => {
    const body = { name: "ops", user: "admin", permissions: ["endpoints.manage"] };
    const { key, id } = (await (await send("POST /api/keys", body)).json()) as Record<
      string,
      string
    >;
    const added = { name: "b", base_url: "http://u:pw-canary@127.0.0.1:9", api_key: "sk-canary" };
    const response = await send("POST /api/endpoints", added, key);
    expect(await recordOf(response)).toMatchObject({
      ...{ actor_kind: "key", key_id: id, key_name: "ops", user_name: "admin" },
      route: "POST /api/endpoints",
    });
    expect(JSON.stringify(await records())).not.toContain("canary");
  });

  test("a change that came to nothing, with its error's code", async () => {
    const response = await send("DELETE /api/keys/none");
    expect(await recordOf(response)).toMatchObject({
      ...{ action: "failed", route: "DELETE /api/keys/:id", status: 404 },
      details: { code: "key_not_found" },
    });
  });

  test("log-ins, failed ones, and log-outs; a name that is nobody's is not told", async () => {
    const logIn = (username: string, password: string) =>
      send("POST /api/auth/login", { username, password }, "");
    const good = await logIn("admin", PASSWORD);
    expect(await recordOf(good)).toMatchObject({
      action: "login",
      user_name: "admin",
      status: 200,
    });
    const cookies = good.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    const { csrf_token } = (await good.json()) as { csrf_token: string };
    const headers = { cookie: cookies.join("; "), "x-csrf-token": csrf_token };
    const out = await fetch(`${front.url}/api/auth/logout`, { method: "POST", headers });
    expect(await recordOf(out)).toMatchObject({
      ...{ action: "logout", user_name: "admin", actor_kind: "session" },
    });
    await logIn("admin", "my-old-password");
    await logIn("my-password-in-the-wrong-field", "x");
    await until(async () => (await records("action=login_failed")).length === 2, 10_000);
    const failed = await records("action=login_failed");
    expect(failed.map(({ user_name, status }) => [user_name, status])).toEqual([
      [null, 401],
      ["admin", 401],
    ]);
    expect(JSON.stringify(await records())).not.toContain("password-in-the-wrong");
    expect(JSON.stringify(await records())).not.toContain("my-old-password");
  });

  test("refusals, many of one kind as one; what inference answers is not", async () => {
    for (let i = 0; i < 20; i += 1) await send("GET /api/prices", undefined, "sk_wrong");
    await until(async () => (await records("route=/api/prices")).length > 0, 10_000);
    const [told, ...more] = await records("route=/api/prices");
    expect(told).toMatchObject({
      ...{ action: "refused", route: "GET /api/prices", status: 401, count: 20 },
      details: { code: "invalid_api_key" },
    });
    expect(more).toEqual([]);
    const before = (await records()).length;
    const chat = { model: "qwen3", messages: [{ role: "user", content: "hi" }] };
    const answered = await send("POST /v1/chat/completions", chat);
    expect(answered.status).toBe(200);
    await send("GET /api/users");
    expect(await records()).toHaveLength(before);
  });

  test("a page of another site that was kept out", async () => {
    const headers = { origin: "https://evil.example", "content-type": "application/json" };
    const url = `${front.url}/api/endpoints`;
    expect((await fetch(url, { method: "POST", headers, body: "{}" })).status).toBe(403);
    await until(async () => (await records("action=refused&status=403")).length > 0, 10_000);
    const [told] = await records("action=refused&status=403");
    expect(told).toMatchObject({ details: { code: "origin_not_allowed" } });
  });
});

describe("reading", () => {
  test("pages, from the newest on", async () => {
    const all = (await records()).map(({ seq }) => seq);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
    const read: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const place: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const response = await send(`GET /api/audit?limit=3${place}`);
      const page = AuditPage.parse(await response.json());
      read.push(...page.records.map(({ seq }) => seq));
      cursor = page.next_cursor;
    }
    expect(read).toEqual(all);
  });

  test.each([
    ["actor=ops", { key_name: "ops" }],
    ["actor=local&action=failed", { actor_kind: "local", action: "failed" }],
    ["route=PATCH%20/api/users/:id", { route: "PATCH /api/users/:id" }],
    ["route=/api/users/", { subject: "eve" }],
    ["status=404", { status: 404 }],
    ["address=127.0.0.1&action=login", { action: "login" }],
  ])("chosen by %s", async (query, expected) => {
    const found = await records(query);
    expect(found.length).toBeGreaterThan(0);
    for (const record of found) expect(record).toMatchObject(expected);
  });

  test("times choose, too", async () => {
    const [newest] = await records();
    expect(await records(`from=${newest?.time}`)).toContainEqual(newest as AuditRecordView);
    expect(await records("to=2020-01-01")).toEqual([]);
    const wrong = await send("GET /api/audit?from=2026-02-01&to=2026-01-01");
    expect(wrong.status).toBe(400);
  });

  test.each([
    ["action=nonsense", "action"],
    ["actor=", "actor"],
    ["cursor=x", "cursor"],
    ["statu=200", "statu"],
  ])("a wrong parameter is named: %s", async (query, param) => {
    const response = await send(`GET /api/audit?${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
  });

  test("all of it as CSV and JSON", async () => {
    const csv = await send("GET /api/audit/export?action=change");
    expect(csv.headers.get("content-disposition")).toContain('filename="audit_log.csv"');
    const [head, ...lines] = (await csv.text()).trim().split("\r\n");
    expect(head?.startsWith("seq,time,action,route,path,subject,details,actor_kind")).toBe(true);
    const json = await (await send("GET /api/audit/export?action=change&format=json")).json();
    expect(json).toEqual(await records("action=change"));
    expect(lines).toHaveLength((json as unknown[]).length);
  });

  test("the older path has pages by number", async () => {
    const response = await send(
      "GET /api/dashboard/audit-logs?per_page=2&page=2&actor_type=api_key",
    );
    expect(await response.json()).toMatchObject({ page: 2, per_page: 2, total: 1, items: [] });
    const first = await send("GET /api/dashboard/audit-logs?status_code=404&per_page=1");
    expect(await first.json()).toMatchObject({
      items: [{ http_method: "DELETE", request_path: "/api/keys/none", status_code: 404 }],
    });
  });

  test("only for who may", async () => {
    const body = { name: "v", user: "admin", permissions: ["logs.read"] };
    const { key } = (await (await send("POST /api/keys", body)).json()) as { key: string };
    expect((await send("GET /api/audit", undefined, key)).status).toBe(403);
    expect((await send("POST /api/audit/verify", undefined, key)).status).toBe(403);
  });
});

test("verify finds it whole, and names the record that was changed", async () => {
  const verify = async (body?: object) =>
    AuditVerdict.parse(await (await send("POST /api/audit/verify", body)).json());
  const whole = await verify();
  expect(whole).toMatchObject({ valid: true, pruned_up_to: 0 });
  expect(whole.records_checked).toBe(whole.head.seq);
  expect(await verify({ since: whole.head })).toMatchObject({ valid: true });
  const other = { seq: whole.head.seq, mac: "x".repeat(43) };
  expect(await verify({ since: other })).toMatchObject({ valid: false, first_bad: other.seq });

  const db = new Database(join(home.path, "audit.db"));
  db.run("UPDATE audit_records SET user_name = 'nobody' WHERE seq = 3");
  db.close();
  expect(await verify()).toMatchObject({
    ...{ valid: false, records_checked: 2, first_bad: 3 },
    reason: expect.stringContaining("Record 3"),
  });
  const older = await send("POST /api/dashboard/audit-logs/verify");
  expect(await older.json()).toMatchObject({ valid: false, tampered_batch: 3 });
});

test("neither file holds the key", () => {
  const secret = readFileSync(join(home.path, "secret.key"), "utf8").trim();
  for (const name of ["audit.db", "audit.head"]) {
    expect(readFileSync(join(home.path, name), "latin1")).not.toContain(secret);
  }
});
