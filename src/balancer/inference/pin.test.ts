import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { type FakeEndpoint, fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { EndpointList } from "../../wire/endpoint.ts";

const NAMES = ["one", "gpu ⚡ 2", "three"] as const;
const LOCAL = "local_test";
const endpoints = new Map<string, FakeEndpoint>();
let balancer: FakeBalancer;

function answered(name: string): Response {
  if (name === "three") return new Response("broken", { status: 503 });
  const message = { role: "assistant", content: name };
  return Response.json({ id: "c", choices: [{ index: 0, finish_reason: "stop", message }] });
}

beforeAll(async () => {
  for (const name of NAMES) {
    const models = name === "one" ? ["m", "only-one"] : ["m"];
    endpoints.set(
      name,
      fakeEndpoint(models, () => answered(name)),
    );
  }
  const urls = Array.from(endpoints, ([name, { url }]) => [name, url] as const);
  balancer = await fakeBalancer(Object.fromEntries(urls));
});
afterAll(async () => {
  await balancer[Symbol.asyncDispose]();
  for (const endpoint of endpoints.values()) endpoint[Symbol.dispose]();
});

function ask(endpoint: string, model = "m"): Promise<Response> {
  const body = { model, messages: [{ role: "user", content: "hi" }] };
  return balancer.post("/v1/chat/completions", body, { "x-llmlb-endpoint": endpoint });
}

async function refusal(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code];
}

test("a request goes to the endpoint that it names, however that is written", async () => {
  for (let i = 0; i < 4; i += 1) {
    expect((await ask("one")).headers.get("x-llmlb-endpoint")).toBe("one");
    const other = await ask("gpu%20%E2%9A%A1%202");
    expect(decodeURIComponent(other.headers.get("x-llmlb-endpoint") ?? "")).toBe("gpu ⚡ 2");
  }
  const list = EndpointList.parse(await (await fetch(`${balancer.url}/api/endpoints`)).json());
  const id = list.endpoints.find(({ name }) => name === "one")?.id ?? "";
  expect((await ask(id)).headers.get("x-llmlb-endpoint")).toBe("one");
});

test("a failure of that endpoint is not mended by another one", async () => {
  const before = endpoints.get("one")?.requests.length;
  const answer = await ask("three");
  expect(answer.status).toBe(503);
  expect(answer.headers.get("x-llmlb-endpoint")).toBe("three");
  expect(endpoints.get("one")?.requests.length).toBe(before);
});

test("an endpoint that is not there, or has not got the model, is said to be so", async () => {
  expect(await refusal(await ask("nobody"))).toEqual([404, "endpoint_not_found"]);
  expect(await refusal(await ask("three", "only-one"))).toEqual([400, "endpoint_lacks_model"]);
  expect(await refusal(await ask("%", "m"))).toEqual([404, "endpoint_not_found"]);
});

test("a key that may not see endpoints may name none", async () => {
  using endpoint = fakeEndpoint(["m"], () => answered("one"));
  const settings = { access: "required", adminPassword: "correct horse" } as const;
  await using guarded = await fakeBalancer({ one: endpoint.url }, settings, LOCAL);
  const local = { authorization: `Bearer ${LOCAL}` };
  const made = await guarded.post("/api/keys", { name: "k" }, local);
  const { key } = (await made.json()) as { key: string };
  const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
  const send = (more: Record<string, string>) =>
    guarded.post("/v1/chat/completions", body, { authorization: `Bearer ${key}`, ...more });
  expect((await send({})).status).toBe(200);
  const pinned = { "x-llmlb-endpoint": "one" };
  expect(await refusal(await send(pinned))).toEqual([403, "endpoint_not_allowed"]);
  const mayAll = await guarded.post("/v1/chat/completions", body, { ...local, ...pinned });
  expect(mayAll.status).toBe(200);
});
