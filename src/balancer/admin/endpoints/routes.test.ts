import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import { eventually } from "../../../testkit/eventually.ts";
import { fakeEndpoint } from "../../../testkit/servers/endpoint.ts";
import { fakeProxy } from "../../../testkit/servers/proxy.ts";
import { rawAnswer } from "../../../testkit/servers/tcp.ts";
import type { EndpointDetail, EndpointList } from "../../../wire/endpoint.ts";

const nothing = () => Response.json({ ok: true });
const DEAD = "http://127.0.0.1:9";

function client(front: FakeBalancer, base = "/api/endpoints") {
  return async (method: string, path = "", body?: object) => {
    const response = await fetch(front.url + base + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
}

async function online(call: ReturnType<typeof client>, id: string): Promise<EndpointDetail> {
  return await eventually(async () => {
    const { body } = await call("GET", `/${id}`);
    return body.status === "online" && body.kind !== null ? body : undefined;
  });
}

test.each(["/api/endpoints", "/v0/endpoints"])("an endpoint lives at %s", async (base) => {
  using a = fakeEndpoint(["m"], nothing);
  await using front = await fakeBalancer({});
  const call = client(front, base);
  const created = await call("POST", "", { name: "gpu", base_url: `${a.url}/v1/`, api_key: "k" });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({
    // Its first check, which begins at once, may be faster than the answer.
    status: expect.stringMatching(/^(pending|online)$/),
    ...{ name: "gpu", base_url: `${a.url}/v1/`, source: "api" },
    ...{ has_api_key: true, health_check_interval_secs: 60, inference_timeout_secs: 10 },
    ...{ last_error: null, error_count: 0, notes: null, slots: null },
    ...{ capabilities: ["chat_completion"], slots_in_effect: 8, device_info: null },
  });
  expect(JSON.stringify(created.body)).not.toContain('"k"');
  const { id } = created.body;
  const seen = await online(call, id);
  expect(seen).toMatchObject({ kind: "openai_compatible", model_count: 1, circuit: "closed" });
  expect(seen.models).toMatchObject([{ model_id: "m", capabilities: ["chat"] }]);
  expect((await front.post("/v1/chat/completions", { model: "m" })).status).toBe(200);

  expect(await call("GET", "?status=online&kind=openai_compatible&name=GP")).toMatchObject({
    body: { total: 1, endpoints: [{ id }] },
  });
  for (const none of ["?status=offline", "?kind=vllm", "?name=x"]) {
    expect((await call("GET", none)).body).toEqual({ endpoints: [], total: 0 });
  }

  const changes = { name: "big", slots: 2, notes: "rack 1", capabilities: ["embeddings"] };
  expect(await call("PUT", `/${id}`, changes)).toMatchObject({
    ...{ status: 200, body: { ...changes, slots_in_effect: 2, has_api_key: true } },
  });
  const cleared = { slots: null, notes: null, capabilities: null, api_key: null };
  expect(await call("PATCH", `/${id}`, cleared)).toMatchObject({
    status: 200,
    body: { name: "big", notes: null, slots_in_effect: 8, has_api_key: false },
  });
  expect(await call("GET", `/${id}/models`)).toMatchObject({
    body: { endpoint_id: id, models: [{ model_id: "m" }] },
  });
  expect((await call("DELETE", `/${id}`)).status).toBe(204);
  expect(await call("DELETE", `/${id}`)).toMatchObject({
    status: 404,
    body: { error: { code: "endpoint_not_found" } },
  });
  expect((await fetch(`${front.url}/v1/models/m`)).status).toBe(404);
});

test("a drained endpoint ends what it has, and gets no request until it is undrained", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  using a = fakeEndpoint(["m"], async () => {
    await held;
    return Response.json({ ok: true });
  });
  await using front = await fakeBalancer({});
  const call = client(front);
  const { id } = (await call("POST", "", { name: "gpu", base_url: a.url })).body;
  await online(call, id);
  const chat = () => front.post("/v1/chat/completions", { model: "m" });
  const running = chat();
  await eventually(async () => (await call("GET", `/${id}`)).body.active_requests === 1);
  expect(await call("POST", `/${id}/drain`)).toMatchObject({
    status: 200,
    body: { draining: true, status: "online", active_requests: 1 },
  });
  const refused = await chat();
  expect([refused.status, await refused.json()]).toMatchObject([
    503,
    { error: { code: "no_endpoint" } },
  ]);
  expect((await call("POST", `/${id}/test`)).body.success).toBe(true);
  const model = await (await fetch(`${front.url}/v1/models/m`)).json();
  expect(model).toMatchObject({ ready: false, lifecycle_status: "pending" });
  const ready = await fetch(`${front.url}/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { status: "no_endpoint", endpoints: [{ name: "gpu", status: "online", draining: true }] },
  ]);
  release();
  expect((await running).status).toBe(200);
  expect((await call("POST", `/${id}/undrain`)).body).toMatchObject({ draining: false });
  expect((await chat()).status).toBe(200);
});

describe("a wrong request", () => {
  test.each<[object, string]>([
    [{ base_url: DEAD }, "name"],
    [{ name: "  ", base_url: DEAD }, "name"],
    [{ name: "x".repeat(101), base_url: DEAD }, "name"],
    [{ name: "a\u0000b", base_url: DEAD }, "name"],
    [{ name: "a\u202eb", base_url: DEAD }, "name"],
    [{ name: "a\u200bb", base_url: DEAD }, "name"],
    [{ name: "a" }, "base_url"],
    [{ name: "a", base_url: "" }, "base_url"],
    [{ name: "a", base_url: "gpu1:8080" }, "base_url"],
    [{ name: "a", base_url: "file:///etc" }, "base_url"],
    [{ name: "a", base_url: "http://h/?q" }, "base_url"],
    [{ name: "a", base_url: "http://169.254.169.254" }, "base_url"],
    [{ name: "a", base_url: DEAD, health_check_interval_secs: 9 }, "health_check_interval_secs"],
    [{ name: "a", base_url: DEAD, health_check_interval_secs: 301 }, "health_check_interval_secs"],
    [{ name: "a", base_url: DEAD, inference_timeout_secs: 601 }, "inference_timeout_secs"],
    [{ name: "a", base_url: DEAD, slots: 0 }, "slots"],
    [{ name: "a", base_url: DEAD, capabilities: ["fly"] }, "capabilities.0"],
    [{ name: "a", base_url: DEAD, api_key: "a b" }, "api_key"],
    [{ name: "a", base_url: DEAD, endpoint_type: "ollama" }, "endpoint_type"],
  ])("%j is a 400 that names %s", async (body, param) => {
    await using front = await fakeBalancer({});
    const { status, body: answer } = await client(front)("POST", "", body);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ error: { type: "invalid_request_error", param } });
  });

  test("for a list or an unknown endpoint has an error of its own", async () => {
    await using front = await fakeBalancer({});
    const call = client(front);
    expect(await call("GET", "?status=odd")).toMatchObject({
      status: 400,
      body: { error: { param: "status" } },
    });
    for (const [method, path] of [
      ...([
        ["GET", ""],
        ["PUT", ""],
        ["DELETE", ""],
        ["POST", "/test"],
      ] as const),
      ...([
        ["POST", "/sync"],
        ["GET", "/models"],
        ["GET", "/checks"],
      ] as const),
    ]) {
      expect((await call(method, `/none${path}`, method === "PUT" ? {} : undefined)).status).toBe(
        404,
      );
    }
  });
});

test("names and addresses are unique, however an address is spelled", async () => {
  await using front = await fakeBalancer({});
  const call = client(front);
  await call("POST", "", { name: "a", base_url: "http://127.0.0.1:9/v1" });
  const same = await call("POST", "", { name: "a", base_url: "http://127.0.0.1:10" });
  expect(same).toMatchObject({ status: 409, body: { error: { code: "duplicate_name" } } });
  const url = await call("POST", "", { name: "b", base_url: "HTTP://127.0.0.1:9/" });
  expect(url).toMatchObject({ status: 409, body: { error: { code: "duplicate_url" } } });
  const other = await call("POST", "", { name: "A", base_url: "http://127.0.0.1:10" });
  expect(other.status).toBe(201);
  expect(await call("PUT", `/${other.body.id}`, { name: "a" })).toMatchObject({ status: 409 });
  expect(await call("PUT", `/${other.body.id}`, { base_url: DEAD })).toMatchObject({ status: 409 });
});

test("an endpoint that is down is registered, and stays pending", async () => {
  await using front = await fakeBalancer({});
  const call = client(front);
  const { body } = await call("POST", "", { name: "a", base_url: DEAD });
  expect(await call("POST", `/${body.id}/test`)).toEqual({
    status: 200,
    body: { success: false, latency_ms: null, error: expect.any(String), models_found: null },
  });
  expect(await call("GET", `/${body.id}`)).toMatchObject({
    body: { status: "pending", last_error: expect.stringContaining("refused") },
  });
});

test("a test and a sync tell what was found; a failed sync keeps the list", async () => {
  using a = fakeEndpoint(["one", "two"], nothing);
  await using front = await fakeBalancer({ a: a.url });
  const call = client(front);
  const [{ id }] = (await call("GET")).body.endpoints;
  expect(await call("POST", `/${id}/test`)).toMatchObject({
    status: 200,
    body: { success: true, error: null, models_found: ["one", "two"] },
  });
  a.models = ["two", "three", "three", "text-embed"];
  const synced = await call("POST", `/${id}/sync`);
  expect(synced).toMatchObject({ status: 200, body: { added: 2, removed: 1, updated: 1 } });
  expect(synced.body.synced_models).toMatchObject([
    { model_id: "text-embed", capabilities: ["embeddings"] },
    { model_id: "three" },
    { model_id: "two" },
  ]);
  a[Symbol.dispose]();
  expect(await call("POST", `/${id}/sync`)).toMatchObject({
    status: 503,
    body: { error: { code: "connection_error" } },
  });
  expect((await call("GET", `/${id}/models`)).body.models).toHaveLength(3);
});

test("the history of checks can be read", async () => {
  using a = fakeEndpoint(["m"], nothing);
  await using front = await fakeBalancer({ a: a.url });
  const call = client(front);
  const [{ id }] = (await call("GET")).body.endpoints;
  await call("POST", `/${id}/test`);
  const checks = await eventually(async () => {
    const { body } = await call("GET", `/${id}/checks`);
    return body.checks.length < 2 ? undefined : body.checks;
  });
  expect(checks).toMatchObject([
    { success: true, error_message: null, status_before: "online", status_after: "online" },
    { success: true, status_before: "pending", status_after: "online" },
  ]);
  expect((await call("GET", `/${id}/checks?limit=1`)).body.checks).toHaveLength(1);
  expect((await call("GET", `/${id}/checks?limit=0`)).status).toBe(400);
});

test("what the configuration says is changed there only", async () => {
  using a = fakeEndpoint(["m"], nothing);
  await using front = await fakeBalancer({ a: a.url });
  front.balancer.addLocal({ name: "local", url: DEAD });
  const call = client(front);
  const [config, local] = (await call("GET")).body.endpoints;
  expect([config.source, local.source]).toEqual(["config", "local"]);
  for (const [{ id }, code] of [
    [config, "managed_by_config"] as const,
    [local, "managed_by_local"] as const,
  ]) {
    expect(await call("DELETE", `/${id}`)).toMatchObject({
      status: 409,
      body: { error: { code } },
    });
    const renamed = await call("PUT", `/${id}`, { name: "x" });
    expect(renamed).toMatchObject({ status: 409, body: { error: { code, param: "name" } } });
    expect(await call("PUT", `/${id}`, { slots: 3 })).toMatchObject({
      body: { slots_in_effect: 3 },
    });
  }
});

test("an endpoint behind a proxy is found out and served from through it", async () => {
  const models = JSON.stringify({ data: [{ id: "m" }] });
  using fake = fakeProxy(0, (request) => {
    if (request.startsWith("GET http://far.invalid:8080/v1/models ")) return rawAnswer(models);
    if (request.startsWith("POST http://far.invalid:8080/v1/chat/completions "))
      return rawAnswer("{}");
    return rawAnswer("{}", "application/json", "404 Not Found");
  });
  using near = fakeEndpoint(["n"], () => Response.json({}));
  const proxies = { httpProxy: fake.proxy.origin, httpsProxy: null, proxyBypass: [] };
  await using front = await fakeBalancer({ near: near.url }, proxies);
  const call = client(front);
  const far = { name: "far", base_url: "http://far.invalid:8080" };
  const { body } = await call("POST", "", far);
  await online(call, body.id);
  expect((await front.post("/v1/chat/completions", { model: "m" })).status).toBe(200);
  const count = fake.asked.length;
  // This machine is asked without it.
  expect((await front.post("/v1/chat/completions", { model: "n" })).status).toBe(200);
  expect(fake.asked.length).toBe(count);
});

test("an endpoint of the API waits as long as one of the configuration", async () => {
  using a = fakeEndpoint(["m"], nothing);
  await using front = await fakeBalancer({ a: a.url }, { firstByteTimeoutMs: 450_000 });
  const call = client(front, "/api/endpoints");
  const { id } = (await call("POST", "", { name: "b", base_url: DEAD })).body;
  const waits = async () => {
    const { endpoints } = (await call("GET", "")).body as EndpointList;
    return endpoints.map(({ inference_timeout_secs }) => inference_timeout_secs);
  };
  expect(await waits()).toEqual([450, 450]);
  await call("PATCH", `/${id}`, { inference_timeout_secs: 30 });
  expect(await waits()).toContain(30);
  await call("PATCH", `/${id}`, { inference_timeout_secs: null });
  expect(await waits()).toEqual([450, 450]);
});

test("an endpoint that asked for no times of its own follows the settings", async () => {
  const home = mkdtempSync(join(tmpdir(), "llmlb-times-"));
  const settings = (times: number) => {
    return { home, firstByteTimeoutMs: times * 1000, healthIntervalMs: times * 1000 };
  };
  const times = async (front: FakeBalancer) => {
    const { endpoints } = (await client(front)("GET", "")).body as EndpointList;
    return endpoints.flatMap((one) => [
      ...[one.inference_timeout_secs, one.health_check_interval_secs],
    ]);
  };
  {
    await using front = await fakeBalancer({}, settings(40));
    const call = client(front);
    await call("POST", "", { name: "a", base_url: DEAD });
    const own = { inference_timeout_secs: 15, health_check_interval_secs: 12 };
    await call("POST", "", { name: "b", base_url: "http://127.0.0.1:8", ...own });
    expect(await times(front)).toEqual([40, 40, 15, 12]);
  }
  await using front = await fakeBalancer({}, settings(50));
  expect(await times(front)).toEqual([50, 50, 15, 12]);
  rmSync(home, { recursive: true, force: true });
});

test("of an endpoint that lists too many models the first are used, which it says", async () => {
  // More than is read at once, and its own first entries are not the first by their ids.
  const names = Array.from({ length: 30_000 }, (_, i) => `model-${30_000 - i}`);
  using a = fakeEndpoint(names, nothing);
  await using front = await fakeBalancer({});
  const call = client(front);
  const { id } = (await call("POST", "", { name: "many", base_url: a.url })).body;
  const seen = await online(call, id);
  expect(seen).toMatchObject({ model_count: 5000 });
  expect(seen.models_limited).toBe("It lists 30000 models; the first 5000 are used.");
  expect(seen.models.map(({ model_id }) => model_id)).toEqual(names.slice(0, 5000).sort());
  const synced = (await call("POST", `/${id}/sync`)).body;
  expect(synced).toMatchObject({ added: 0, removed: 0, updated: 5000 });
  expect(synced.synced_models).toHaveLength(5000);
  const status = async (model: string) =>
    (await front.post("/v1/chat/completions", { model })).status;
  expect([await status("model-25001"), await status("model-25000")]).toEqual([200, 404]);

  const page = (await call("GET", `/${id}/models?limit=2&after=model-25001`)).body;
  const ids = ["model-25002", "model-25003"];
  expect(page).toMatchObject({ endpoint_id: id, has_more: true, last_id: ids[1] });
  expect(page.models.map((one: { model_id: string }) => one.model_id)).toEqual(ids);

  a.models = ["only"];
  await call("POST", `/${id}/sync`);
  const { model_count, models_limited } = (await call("GET", `/${id}`)).body;
  expect({ model_count, models_limited }).toEqual({ model_count: 1, models_limited: null });
});
