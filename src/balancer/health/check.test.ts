import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { checkEndpoint } from "./check.ts";

const options = { timeoutMs: 2000, signal: new AbortController().signal };

test.each(["api", "node", "config"] as const)(
  "an address that became a forbidden one is not called (%s)",
  async (source) => {
    const endpoint = new Endpoint({ name: "n", url: "http://169.254.169.254", source });
    expect(await checkEndpoint(endpoint, options)).toMatchObject({
      ok: false,
      failure: "connection",
      reason: expect.stringContaining("169.254.169.254 is refused"),
      latencyMs: null,
    });
  },
);

test("an address of metadata services is called where the operator allows it", async () => {
  const settings = { allowMetadataAddresses: true };
  await using front = await fakeBalancer({}, settings);
  const body = { name: "a", base_url: "http://169.254.169.254:9" };
  expect((await front.post("/api/endpoints", body)).status).toBe(201);
  const ftp = await front.post("/api/endpoints", { name: "b", base_url: "ftp://10.0.0.1" });
  expect(ftp.status).toBe(400);
  const endpoint = new Endpoint({ name: "n", url: "http://169.254.169.254:9", guarded: false });
  const checked = await checkEndpoint(endpoint, { ...options, timeoutMs: 100 });
  expect(checked).toMatchObject({ ok: false, reason: expect.not.stringContaining("is refused") });
});

test.each(["PUT", "PATCH"])(
  "an endpoint is not moved to a forbidden address by %s",
  async (method) => {
    using a = fakeEndpoint(["m"], () => Response.json({}));
    await using front = await fakeBalancer({});
    const added = await front.post("/api/endpoints", { name: "a", base_url: a.url });
    const { id } = (await added.json()) as { id: string };
    const path = `${front.url}/api/endpoints/${id}`;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "b", base_url: "http://[fe80::1]" });
    const refused = await fetch(path, { method, headers, body });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: "forbidden_address", param: "base_url" },
    });
    expect(await (await fetch(path)).json()).toMatchObject({ name: "a", base_url: a.url });
  },
);

test.each<[string, () => Response]>([
  ["404", () => new Response("no such page", { status: 404 })],
  ["405", () => Response.json({ detail: "Method Not Allowed" }, { status: 405 })],
  ["a page", () => new Response("<html>welcome</html>")],
  ["null", () => Response.json({ data: null })],
  ["an empty list", () => Response.json({ data: [] })],
])("an endpoint without a list (%s) has the models that were given", async (_, list) => {
  const answers = { choices: [{ index: 0, message: { content: "Hi" }, finish_reason: "stop" }] };
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ method, url }) => {
      if (method === "GET") return list();
      return url.endsWith("/v1/chat/completions")
        ? Response.json(answers)
        : new Response("", { status: 404 });
    },
  });
  const url = server.url.origin;
  const none = await checkEndpoint(new Endpoint({ name: "n", url, source: "config" }), options);
  expect(none.ok ? none.models.size : 0).toBe(0);
  await using front = await fakeBalancer({ a: { url, models: ["m"] } });
  const added = await front.post("/api/endpoints", {
    ...{ name: "b", base_url: `${url}/b` },
    models: ["m2", "m2"],
  });
  expect(await added.json()).toMatchObject({ given_models: ["m2"] });
  await front.until("b", "online");
  for (const model of ["m", "m2"]) {
    const answer = await front.post("/v1/chat/completions", { model, messages: [] });
    expect(answer.status).toBe(200);
  }
});
