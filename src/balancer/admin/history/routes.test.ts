import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { NewRequestRow } from "../../../db/history/records.ts";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import { makeRequest, makeStateHome, type StateHome } from "../../../testkit/state.ts";
import { RequestDetail, RequestPage } from "../../../wire/history.ts";
import { UsageReport } from "../../../wire/usage.ts";

let home: StateHome;
let front: FakeBalancer;

beforeEach(() => {
  home = makeStateHome();
});
afterEach(async () => {
  await front[Symbol.asyncDispose]();
  await home.remove();
});

const NOON = new Date("2026-03-10T12:00:00").getTime();
const LOCAL = { authorization: "Bearer local_test" };

/** A balancer whose history has these requests. */
async function withRequests(
  requests: Partial<NewRequestRow>[],
  access: "off" | "required" = "off",
) {
  const state = await home.open();
  for (const [i, request] of requests.entries()) {
    state.requests.record(makeRequest({ id: `id-${i}`, startedAt: NOON + i, ...request }));
  }
  await state.writes.flush();
  await state.close();
  front = await fakeBalancer({}, { home: home.path, access });
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(front.url + path, { headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function getJson<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
  const { status, text } = await get(path, headers);
  expect([path, status, status === 200 ? "" : text]).toEqual([path, 200, ""]);
  return JSON.parse(text);
}

const FIRST = {
  ...{ model: "a", endpointId: "e1", endpointName: "gpu one", endpointUrl: "http://10.0.0.7:1" },
  ...{ apiKeyId: "k1", apiKeyName: "laptop", userId: "u1", userName: "ada", client: "curl" },
  ...{ clientIp: "10.0.0.1", requestId: "r1", httpStatus: 200, costMicros: 1250 },
  ...{ inputTokens: 3, outputTokens: 4, cachedTokens: 1, firstByteMs: 5, durationMs: 100 },
};
const SECOND = {
  ...{ model: "=cmd()", endpointId: "e2", endpointName: "gpu two", requestType: "embeddings" },
  ...{ apiKeyId: "k2", userId: "u2", clientIp: "10.0.0.2", requestId: 'r"2', client: "go" },
  ...{ succeeded: false, error: "queue_full", httpStatus: 429 },
};

describe("the list of requests", () => {
  test("has what each filter takes, by id or name", async () => {
    await withRequests([FIRST, SECOND]);
    const filters: [query: string, ids: string[]][] = [
      ["", ["id-1", "id-0"]],
      ["model=a", ["id-0"]],
      ["endpoint=e2", ["id-1"]],
      ["endpoint=gpu+one", ["id-0"]],
      ["key=laptop", ["id-0"]],
      ["key=k2", ["id-1"]],
      ["user=ada", ["id-0"]],
      ["user=nobody", []],
      ["status=success", ["id-0"]],
      ["status=error", ["id-1"]],
      ["http_status=429", ["id-1"]],
      ["client_ip=10.0.0.1", ["id-0"]],
      ["client=go", ["id-1"]],
      ["type=embeddings", ["id-1"]],
      ["request_id=r1", ["id-0"]],
      ["status=error&model=a", []],
      ["from=2026-03-10&to=2026-03-10", ["id-1", "id-0"]],
      ["from=2026-03-11", []],
      ["to=2026-03-09", []],
      [`from=${new Date(NOON + 1).toISOString()}`, ["id-1"]],
      [`to=${new Date(NOON + 1).toISOString()}`, ["id-0"]],
    ];
    for (const path of ["/api/requests", "/v0/requests"]) {
      for (const [query, ids] of filters) {
        const page = RequestPage.parse(await getJson(`${path}?count=true&${query}`));
        const found = page.requests.map(({ id }) => id);
        expect([query, found, page.total]).toEqual([query, ids, ids.length]);
      }
    }
  });

  test("shows a request as a whole", async () => {
    await withRequests([FIRST]);
    const { requests, total } = RequestPage.parse(await getJson("/api/requests"));
    expect(total).toBeUndefined();
    expect(requests).toEqual([
      expect.objectContaining({
        ...{ id: "id-0", api_key_name: "laptop", user_name: "ada", cost: 0.00125 },
        ...{ started_at: new Date(NOON).toISOString(), status: "success", client: "curl" },
      }),
    ]);
  });

  test("goes on from page to page", async () => {
    await withRequests(Array.from({ length: 25 }, (_, i) => ({ startedAt: NOON + (i >> 2) })));
    const seen: string[] = [];
    let query = "limit=10";
    for (;;) {
      const { requests, next_cursor } = RequestPage.parse(await getJson(`/api/requests?${query}`));
      seen.push(...requests.map(({ id }) => id));
      if (next_cursor === null) break;
      query = `limit=10&cursor=${next_cursor}`;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `id-${24 - i}`));
  });

  test("tells what was recorded since, oldest first", async () => {
    await withRequests([FIRST, SECOND, FIRST]);
    const page = async (query: string) => {
      const { requests, latest } = RequestPage.parse(await getJson(`/api/requests?${query}`));
      return [requests.map(({ id }) => id), latest];
    };
    expect(await page("limit=1")).toEqual([["id-2"], 3]);
    expect(await page("after=1")).toEqual([["id-1", "id-2"], 3]);
    expect(await page("after=0&limit=2")).toEqual([["id-0", "id-1"], 2]);
    expect(await page("after=0&model=a")).toEqual([["id-0", "id-2"], 3]);
    expect(await page("after=3")).toEqual([[], 3]);
  });

  test.each([
    ["after=x", "after"],
    ["from=2026-03-11&to=2026-03-10T00:00:00Z", "from"],
    ["from=yesterday", "from"],
    ["status=bad", "status"],
    ["http_status=99", "http_status"],
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["cursor=xyz", "cursor"],
    ["modle=a", "modle"],
    ["count=maybe", "count"],
  ])("refuses %s", async (query, named) => {
    await withRequests([]);
    const { status, text } = await get(`/api/requests?${query}`);
    expect(status).toBe(400);
    expect(text).toContain(named);
  });
});

test("a single request has its attempts and bodies", async () => {
  const attempts = [
    { id: "e0", name: "gpu zero", startMs: 0.5, error: "HTTP 503", tokens: 3 },
    { id: "e1", name: "gpu one", startMs: 20, error: null },
  ];
  const bodies = { requestBody: '{"content":"secret"}', responseBody: null };
  await withRequests([{ ...FIRST, attempts, ...bodies, retries: 1 }, FIRST, { model: "a" }]);
  const whole = RequestDetail.parse(await getJson("/api/requests/id-0"));
  expect(whole).toMatchObject({
    endpoint_url: "http://10.0.0.7:1",
    request_body: bodies.requestBody,
  });
  expect(whole.attempts).toEqual([
    { endpoint_id: "e0", endpoint_name: "gpu zero", start_ms: 0.5, error: "HTTP 503", tokens: 3 },
    { endpoint_id: "e1", endpoint_name: "gpu one", start_ms: 20, error: null, tokens: null },
  ]);
  const single = RequestDetail.parse(await getJson("/api/requests/id-1"));
  expect(single.attempts).toMatchObject([{ endpoint_name: "gpu one", start_ms: 0, error: null }]);
  expect(RequestDetail.parse(await getJson("/api/requests/id-2")).attempts).toEqual([]);
  const named = RequestDetail.parse(await getJson("/api/requests/r1"));
  expect(named.id).toBe("id-1");
  const { status, text } = await get("/api/requests/none");
  expect([status, JSON.parse(text).error.code]).toEqual([404, "request_not_found"]);
});

test("an export has every request, as CSV that runs nothing or as JSON", async () => {
  await withRequests([FIRST, SECOND, ...Array.from({ length: 2500 }, () => ({ model: "many" }))]);
  const csv = await get("/api/requests/export");
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(csv.headers.get("content-disposition")).toContain('filename="request_history.csv"');
  const lines = csv.text.trimEnd().split("\r\n");
  expect(lines).toHaveLength(2503);
  expect(lines[0]).toStartWith("id,request_id,request_type,model,endpoint_id");
  expect(lines.at(-2)).toStartWith(`id-1,"r""2",embeddings,"'=cmd()",e2,gpu two,k2,,u2,,10.0.0.2`);
  const json: { id: string }[] = await getJson("/api/requests/export?format=json");
  expect(json).toHaveLength(2502);
  expect(new Set(json.map(({ id }) => id)).size).toBe(2502);
  expect(await getJson("/api/requests/export?format=json&model=none")).toEqual([]);
  expect(await getJson<object[]>("/api/requests/export?format=json&model=a")).toHaveLength(1);
  expect((await get("/api/requests/export?format=xml")).status).toBe(400);
  expect((await get("/api/requests/export?from=2026-03-11&to=2026-03-01")).status).toBe(400);
});

test("usage is told by period and group, with totals", async () => {
  await withRequests([FIRST, SECOND, { ...FIRST, startedAt: NOON + 86_400_000 }]);
  const range = "from=2026-03-01&to=2026-03-31";
  const report = async (query: string, path = "/api/usage") =>
    UsageReport.parse(await getJson(`${path}?${range}&${query}`));
  const short = ({ rows }: UsageReport) =>
    rows.map(({ period, group, name, requests }) => [period, group, name, requests]);
  const daily = await report("");
  expect(short(daily)).toEqual([
    ["2026-03-11", null, null, 1],
    ["2026-03-10", null, null, 2],
  ]);
  expect(daily.totals).toMatchObject({
    ...{ requests: 3, succeeded: 2, failed: 1, input_tokens: 6, output_tokens: 8 },
    ...{ cached_tokens: 2, total_tokens: 14, cost: 0.0025 },
    duration_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
  });
  expect(short(await report("by=month&group=key", "/v0/usage"))).toEqual([
    ["2026-03", "k1", "laptop", 2],
    ["2026-03", "k2", null, 1],
  ]);
  expect(short(await report("by=total&group=endpoint"))).toEqual([
    [null, "e1", "gpu one", 2],
    [null, "e2", "gpu two", 1],
  ]);
  expect(short(await report("by=hour&group=user&user=ada"))).toEqual([
    [new Date(NOON + 86_400_000).toISOString(), "u1", "ada", 1],
    [new Date(NOON).toISOString(), "u1", "ada", 1],
  ]);
  expect(short(await report("group=type&by=total&model=a"))).toEqual([[null, "chat", null, 2]]);
  for (const query of ["by=year", "group=colour", "from=2026-03-02&to=2026-03-01T00:00:00Z"]) {
    expect((await get(`/api/usage?${query}`)).status).toBe(400);
  }
});

test("usage is exported as it is told, every number in a column", async () => {
  await withRequests([
    FIRST,
    { ...FIRST, startedAt: NOON + 86_400_000 },
    { ...SECOND, model: "a" },
  ]);
  const query = "from=2026-03-01&to=2026-03-31&group=endpoint";
  const csv = await get(`/api/usage/export?${query}`);
  expect(csv.headers.get("content-disposition")).toBe('attachment; filename="usage.csv"');
  const [head, first, ...more] = csv.text.trimEnd().split("\r\n");
  expect(head).toStartWith("period,group,name,requests,succeeded,failed,input_tokens,");
  expect(first).toMatch(
    /^2026-03-11,e1,gpu one,1,1,0,3,4,1,7,0\.00125,[\d.]+,[\d.]+,[\d.]+,[\d.]+$/,
  );
  expect(more.toSorted()).toEqual([
    expect.stringMatching(/^2026-03-10,e1,gpu one,1,1,0,3,4,1,7,0\.00125,/),
    expect.stringMatching(/^2026-03-10,e2,gpu two,1,0,1,/),
  ]);
  expect(await getJson(`/v0/usage/export?format=json&by=total&${query}`)).toHaveLength(2);
  expect((await get("/api/usage/export?format=xml")).status).toBe(400);
});

test("the older paths have the shapes that they had", async () => {
  const now = Date.now();
  const body = { requestBody: '{"a":1}', responseBody: "cut" };
  await withRequests([
    { ...FIRST, ...body, startedAt: now },
    { ...SECOND, startedAt: now + 1 },
  ]);
  for (const base of ["/api/dashboard", "/v0/dashboard"]) {
    const list = `${base}/request-responses`;
    const page = await getJson<{ records: object[] }>(`${list}?per_page=30&page=0`);
    expect(page).toMatchObject({ total_count: 2, page: 1, per_page: 10 });
    expect(page.records[0]).toMatchObject({ status: { type: "error", message: "queue_full" } });
    const named = await getJson<{ records: object[] }>(`${list}?node_id=e1&per_page=25`);
    expect(named).toMatchObject({ total_count: 1, per_page: 25 });
    expect(named.records[0]).toMatchObject({
      ...{ id: "id-0", node_ip: "10.0.0.7", endpoint_name: "gpu one", total_tokens: 7 },
      ...{ status: { type: "success" }, timestamp: new Date(now).toISOString() },
    });
    expect(await getJson(`${list}?limit=1&offset=1`)).toMatchObject({ page: 2, total_count: 2 });
    expect(await getJson(`${list}/id-0`)).toMatchObject({
      ...{ request_body: { a: 1 }, response_body: "cut" },
    });
    expect((await get(`${list}/none`)).status).toBe(404);
    const reverse = "start_time=2026-03-11T00:00:00Z&end_time=2026-03-10T00:00:00Z";
    expect((await get(`${list}?${reverse}`)).text).toContain("start_time");
    const [head, line] = (await get(`${list}/export`)).text.split("\r\n");
    expect(head).toBe(
      "id,timestamp,request_type,model,runtime_id,runtime_machine_name,runtime_ip,client_ip,\
duration_ms,status,completed_at",
    );
    expect(line).toContain(',embeddings,"\'=cmd()",e2,gpu two,,10.0.0.2,12.5,error,');
    expect(await getJson<object[]>(`${list}/export?format=json`)).toHaveLength(2);
    const minutes = await getJson<{ success: number; error: number }[]>(`${base}/request-history`);
    expect(minutes).toHaveLength(60);
    const sum = (of: "success" | "error") => minutes.reduce((all, one) => all + one[of], 0);
    expect([sum("success"), sum("error")]).toEqual([1, 1]);
    const sums = { total_input_tokens: 3, total_output_tokens: 4, total_tokens: 7 };
    const counted = { ...sums, request_count: 2 };
    expect(await getJson(`${base}/stats/tokens`)).toEqual(counted);
    const daily = await getJson<object[]>(`${base}/stats/tokens/daily?days=2`);
    expect(daily).toMatchObject([{ ...counted, date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) }]);
    const monthly = await getJson<object[]>(`${base}/stats/tokens/monthly`);
    expect(monthly).toMatchObject([{ ...counted, month: expect.stringMatching(/^\d{4}-\d\d$/) }]);
  }
});

describe("with access control", () => {
  /** Makes a user with a key, which is returned with the user's id. */
  async function makeUser(name: string) {
    const headers = { ...LOCAL, "content-type": "application/json" };
    const send = async (path: string, body: object) =>
      (
        await fetch(front.url + path, { method: "POST", headers, body: JSON.stringify(body) })
      ).json();
    const user = (await send("/api/users", { username: name })) as { id: string };
    const made = (await send("/api/keys", { name: `${name}'s`, user: name })) as { key: string };
    return { id: user.id, headers: { authorization: `Bearer ${made.key}` } };
  }

  test("everybody sees his own, and only who may read logs sees more", async () => {
    await withRequests([], "required");
    const [ada, bob] = [await makeUser("ada"), await makeUser("bob")];
    await front[Symbol.asyncDispose]();
    const body = { requestBody: '{"content":"secret"}', endpointUrl: "http://10.0.0.7:1" };
    await withRequests(
      [
        { ...body, userId: ada.id, apiKeyId: "k1", startedAt: Date.now() },
        { ...body, userId: bob.id, apiKeyId: "k2", startedAt: Date.now(), inputTokens: 5 },
      ],
      "required",
    );
    const idsFor = async (query: string, headers: Record<string, string>) =>
      RequestPage.parse(await getJson(`/api/requests?${query}`, headers)).requests.map(
        ({ id }) => id,
      );
    expect(await idsFor("", LOCAL)).toHaveLength(2);
    expect(await idsFor("", ada.headers)).toEqual(["id-0"]);
    expect(await idsFor(`user=${ada.id}`, ada.headers)).toEqual(["id-0"]);
    expect(await idsFor(`user=${bob.id}`, ada.headers)).toEqual([]);
    expect(await idsFor("key=k2", ada.headers)).toEqual([]);
    expect((await get("/api/requests/id-1", ada.headers)).status).toBe(404);
    const own = RequestDetail.parse(await getJson("/api/requests/id-0", ada.headers));
    expect(own).toMatchObject({ request_body: '{"content":"<6 characters>"}', endpoint_url: null });
    const all = RequestDetail.parse(await getJson("/api/requests/id-0", LOCAL));
    expect(all.request_body).toBe(body.requestBody);
    for (const path of ["/api/requests/export", "/api/dashboard/request-responses/export"]) {
      expect((await get(path, ada.headers)).text).not.toContain("id-1");
      expect((await get(path, LOCAL)).text).toContain("id-1");
      expect((await get(path)).status).toBe(401);
    }
    const usage = UsageReport.parse(await getJson("/api/usage?group=user", ada.headers));
    expect(usage.rows.map(({ group }) => group)).toEqual([ada.id]);
    expect(usage.totals).toMatchObject({ requests: 1, input_tokens: 0 });
    const base = "/api/dashboard";
    expect(await getJson(`${base}/request-responses`, ada.headers)).toMatchObject({
      total_count: 1,
    });
    expect(await getJson(`${base}/stats/tokens`, ada.headers)).toMatchObject({ request_count: 1 });
    expect(await getJson(`${base}/stats/tokens`, LOCAL)).toMatchObject({ request_count: 2 });
    expect(await getJson(`${base}/stats/tokens/daily`, ada.headers)).toMatchObject([
      { request_count: 1 },
    ]);
    const minutes = await getJson<{ success: number }[]>(`${base}/request-history`, ada.headers);
    expect(minutes.reduce((sum, { success }) => sum + success, 0)).toBe(1);
    expect((await get(`${base}/request-responses/id-1`, ada.headers)).status).toBe(404);
    expect(await getJson(`${base}/request-responses/id-0`, ada.headers)).toMatchObject({
      request_body: { content: "<6 characters>" },
    });
  });
});
