import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { fakeBalancer } from "../../../testkit/balancer.ts";
import { eventually, until } from "../../../testkit/eventually.ts";
import { fakeEndpoint } from "../../../testkit/servers/endpoint.ts";
import { startHub } from "../../../testkit/servers/hub/hub.ts";
import { variantsRepo } from "../../../testkit/servers/hub/samples.ts";

const nothing = () => new Response();

describe("GET /v1/models", () => {
  test("lists what all endpoints have, and what is ready", async () => {
    using a = fakeEndpoint(["hf/org/one", "two"], nothing);
    const b = fakeEndpoint(["two", "three"], nothing);
    await using front = await fakeBalancer({ a: a.url, b: b.url });
    b[Symbol.dispose]();
    await front.post("/v1/embeddings", { model: "three" });
    await front.until("b", "offline");
    const list = await (await fetch(`${front.url}/v1/models`)).json();
    const created = expect.any(Number);
    const shared = { object: "model", owned_by: "endpoint", created, aliases: [] };
    const unknown = { capabilities: expect.any(Object), supported_apis: expect.any(Array) };
    const entry = {
      ...shared,
      ...unknown,
      download_progress: null,
      max_tokens: null,
      loaded: null,
    };
    const served = { ready: true, lifecycle_status: "registered" };
    expect(list).toEqual({
      object: "list",
      data: [
        { id: "hf/org/one", ...entry, ...served, endpoint_ids: ["a"] },
        { id: "three", ...entry, ready: false, lifecycle_status: "pending", endpoint_ids: ["b"] },
        { id: "two", ...entry, ...served, endpoint_ids: ["a", "b"] },
      ],
    });
    expect(list.data[0]).toMatchObject({
      capabilities: { chat_completion: true, embeddings: false, fine_tune: false, inference: true },
      supported_apis: ["chat_completions", "responses", "messages"],
    });
    expect(list.data[0].created).toBeGreaterThan(1_700_000_000);
  });

  test("sees a model that an endpoint got later", async () => {
    using a = fakeEndpoint(["one"], nothing);
    await using front = await fakeBalancer({ a: a.url }, { healthIntervalMs: 10 });
    a.models = ["one", "two"];
    const status = async (id: string) => (await fetch(`${front.url}/v1/models/${id}`)).status;
    await until(async () => (await status("two")) === 200, 15_000);
    a.models = ["two"];
    await until(async () => (await status("one")) === 404, 15_000);
  });
});

describe("GET /v1/models in pages", () => {
  const names = ["a", "b", "c", "d", "e"];

  test("gives as many as are asked for, and tells whether there are more", async () => {
    using endpoint = fakeEndpoint(names, nothing);
    await using front = await fakeBalancer({ endpoint: endpoint.url });
    const page = async (query: string) => {
      const { data, ...fields } = await (await fetch(`${front.url}/v1/models?${query}`)).json();
      return { ids: data.map(({ id }: { id: string }) => id), ...fields };
    };
    const first = { object: "list", has_more: true, first_id: "a", last_id: "b" };
    expect(await page("limit=2")).toEqual({ ids: ["a", "b"], ...first });
    const last = { object: "list", has_more: false, first_id: "d", last_id: "e" };
    expect(await page("limit=2&after=c")).toEqual({ ids: ["d", "e"], ...last });
    expect(await page("")).toEqual({ ids: names, object: "list" });
    expect(await page("foo=bar")).toEqual({ ids: names, object: "list" });
    const refused = await fetch(`${front.url}/v1/models?limit=0`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: "limit" } });
  });

  test("is what Anthropic's client goes through, forwards and backwards", async () => {
    using endpoint = fakeEndpoint(names, nothing);
    await using front = await fakeBalancer({ endpoint: endpoint.url });
    const client = new Anthropic({ baseURL: front.url, apiKey: "none", maxRetries: 0 });
    const listed: string[] = [];
    for await (const { id } of client.models.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(names);
    const before = await client.models.list({ limit: 2, before_id: "d" });
    expect(before.data.map(({ id }) => id)).toEqual(["b", "c"]);
  });
});

describe("GET /v1/models/{id}", () => {
  test.each(["hf/org/one", "hf%2Forg%2Fone", "llama3%3A8b", "llama3:8b", "50%"])(
    "finds %s",
    async (path) => {
      using a = fakeEndpoint(["hf/org/one", "llama3:8b", "50%"], nothing);
      await using front = await fakeBalancer({ a: a.url });
      const response = await fetch(`${front.url}/v1/models/${path}`);
      expect(response.status).toBe(200);
    },
  );

  test("is 404 for an unknown id", async () => {
    using a = fakeEndpoint(["one"], nothing);
    await using front = await fakeBalancer({ a: a.url });
    const response = await fetch(`${front.url}/v1/models/hf/org/none`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: "model_not_found", param: "model" },
    });
  });
});

test("an Ollama without models (`data: null`) is online", async () => {
  using ollama = Bun.serve({ port: 0, fetch: () => Response.json({ object: "list", data: null }) });
  await using front = await fakeBalancer({ ollama: ollama.url.href });
  const ready = await fetch(`${front.url}/ready`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({
    status: "ready",
    endpoints: [{ name: "ollama", status: "online", models: 0 }],
  });
});

test.each([
  ["no JSON", () => new Response("<html>")],
  ["another shape", () => Response.json({ items: [] })],
  ["an error", () => new Response("no", { status: 401 })],
  ["a redirect", () => Response.redirect("http://127.0.0.1:9/")],
])("an endpoint that answers a check with %s is offline", async (_, answer) => {
  using odd = Bun.serve({ port: 0, fetch: answer });
  await using front = await fakeBalancer({ odd: odd.url.href });
  const ready = await fetch(`${front.url}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ endpoints: [{ name: "odd", status: "offline" }] });
});

describe("Anthropic's client", () => {
  test("finds the models with what its API tells of them", async () => {
    using endpoint = fakeEndpoint(["one", "org/two"], nothing);
    await using front = await fakeBalancer({ endpoint: endpoint.url });
    const client = new Anthropic({ baseURL: front.url, apiKey: "none", maxRetries: 0 });
    const created_at = expect.stringMatching(/^20\d\d-\d\d-\d\dT/);
    const one = { type: "model", id: "one", display_name: "one", created_at };
    const page = await client.models.list();
    expect(page).toMatchObject({ has_more: false, first_id: "one", last_id: "org/two" });
    const listed = [];
    for await (const model of page) listed.push(model);
    expect(listed).toMatchObject([one, { ...one, id: "org/two", display_name: "org/two" }]);
    expect(await client.models.retrieve("one")).toMatchObject(one);
  });

  test("reads the list whatever time an endpoint tells", async () => {
    const data = [{ id: "one", created: 1e18 }];
    const server = Bun.serve({ port: 0, fetch: () => Response.json({ object: "list", data }) });
    await using front = await fakeBalancer({ odd: server.url.origin });
    const client = new Anthropic({ baseURL: front.url, apiKey: "none", maxRetries: 0 });
    expect((await client.models.list()).data[0]?.created_at).toBe("1970-01-01T00:00:00.000Z");
    await server.stop(true);
  });
});

test("the one quantization that all have of a registered model is another name of it", async () => {
  await using hub = await startHub();
  await hub.add(variantsRepo());
  const id = "hf/acme/Llama-3-8B-GGUF";
  using a = fakeEndpoint([id, `${id}:Q4_K_M`], nothing);
  using b = fakeEndpoint([id, `${id}:Q4_K_M`], nothing);
  await using front = await fakeBalancer(
    { a: a.url, b: b.url },
    { hubUrl: hub.url, healthIntervalMs: 50 },
  );
  await front.post("/api/models/register", { repo: "acme/Llama-3-8B-GGUF" });
  const listed = async () => {
    const { data } = (await (await fetch(`${front.url}/v1/models`)).json()) as {
      data: { id: string; aliases: string[] }[];
    };
    return data;
  };
  const [only, ...more] = await listed();
  expect(more).toEqual([]);
  const names = expect.arrayContaining([`${id}:Q4_K_M`, "acme/Llama-3-8B-GGUF:Q4_K_M"]);
  expect(only).toMatchObject({ id, aliases: names, ready: true, endpoint_ids: ["a", "b"] });
  expect(await (await fetch(`${front.url}/v1/models/${id}:Q4_K_M`)).json()).toEqual(only ?? {});

  b.models = [id, `${id}:Q8_0`];
  await eventually(async () => (await listed()).length === 3 || undefined);
  expect((await listed()).map((one) => one.id)).toEqual([id, `${id}:Q4_K_M`, `${id}:Q8_0`]);
  const other = await (await fetch(`${front.url}/v1/models/${id}:Q8_0`)).json();
  expect(other).toMatchObject({ id: `${id}:Q8_0`, endpoint_ids: ["b"] });
});
