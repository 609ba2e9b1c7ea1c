import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { ROUTE_LIST, ROUTES } from "../../wire/route.ts";
import { servedBy } from "./servedby.ts";

describe("the headers of who served an answer", () => {
  test.each([
    ["gpu1", "gpu1"],
    ["org/Model-7B:Q4_K_M", "org/Model-7B:Q4_K_M"],
    ["machine of 山田 ⚡", "machine%20of%20%E5%B1%B1%E7%94%B0%20%E2%9A%A1"],
    ["a\r\nset-cookie: x=1", "a%0D%0Aset-cookie:%20x=1"],
    ['50% of "it"\0', "50%25%20of%20%22it%22%00"],
    [" a ", "%20a%20"],
  ])("hold %j as %s", (name, told) => {
    const headers = servedBy({ name }, name);
    expect(headers).toEqual({ "x-llmlb-endpoint": told, "x-llmlb-model": told });
    expect(decodeURIComponent(new Headers(headers).get("x-llmlb-model") ?? "")).toBe(name);
  });

  test("hold half of a surrogate pair, and no more than is bearable", () => {
    expect(servedBy({ name: "\ud83d" }, `${"a".repeat(255)}😀`)).toEqual({
      "x-llmlb-endpoint": "%EF%BF%BD",
      "x-llmlb-model": `${"a".repeat(255)}%EF%BF%BD`,
    });
    const long = servedBy({ name: "a" }, "山".repeat(1_000_000))["x-llmlb-model"] ?? "";
    expect(long.length).toBeLessThan(4096);
  });

  test("leave out a model that is not known", () => {
    expect(servedBy({ name: "a" }, "")).toEqual({ "x-llmlb-endpoint": "a" });
  });
});

const LIES = { "x-llmlb-endpoint": "a lie", "X-LLMLB-Model": "another" };
const NAME = "gpu ⚡ 1";
const OWN = "Org/Own Name-GGUF";

/** An endpoint that has every route and lies about who it is. */
function lying() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: OWN }] });
      if (request.method === "GET" && !pathname.startsWith("/v1/responses/"))
        return new Response("not here", { status: 404 });
      const text = await request.text();
      const wrong = { error: { message: "wrong", type: "invalid_request_error" } };
      if (text === "{}" || text.includes("refuse")) {
        return Response.json(wrong, { status: 400, headers: LIES });
      }
      if (!text.includes('"stream":true')) {
        const message = { role: "assistant", content: "Hi" };
        const choices = [{ index: 0, message, finish_reason: "stop" }];
        const data = [{ index: 0, embedding: [1] }];
        return Response.json({ id: "r1", model: OWN, choices, data }, { headers: LIES });
      }
      const headers = { ...LIES, "content-type": "text/event-stream" };
      const event = { model: OWN, choices: [{ index: 0, delta: { content: "Hi" } }] };
      return new Response(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`, { headers });
    },
  });
}

const ALIASES = [{ name: "m", models: [OWN] }];

/** A request of a route; a form where the route has one. */
function requestOf(route: (typeof ROUTE_LIST)[number], more: object): RequestInit {
  if (route.form === undefined) {
    const said = [{ role: "user", content: "Hi" }];
    const body = { model: "m", messages: said, input: "a", prompt: "a", max_tokens: 1, ...more };
    const query = { query: "a", documents: ["a"], voice: "v" };
    const headers = { "content-type": "application/json" };
    return { method: "POST", body: JSON.stringify({ ...body, ...query }), headers };
  }
  const form = new FormData();
  form.set("model", "m");
  form.set("prompt", "a");
  const isAudio = route.form === "audio";
  // The smallest PNG there is: one grey pixel.
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
  const file = new File(
    [isAudio ? "RIFF" : Buffer.from(png, "base64")],
    isAudio ? "a.wav" : "a.png",
  );
  form.set(isAudio ? "file" : "image", file);
  for (const [name, value] of Object.entries(more)) form.set(name, String(value));
  return { method: "POST", body: form };
}

const told = ({ headers }: Response) => [
  headers.get("x-llmlb-endpoint"),
  headers.get("x-llmlb-model"),
];
const TRUTH = [encodeURI(NAME), encodeURI(OWN)];

test("every inference route says who served it, whole, streamed or refused", async () => {
  await using server = lying();
  await using front = await fakeBalancer({ [NAME]: server.url.origin }, { aliases: ALIASES });
  const ask = (route: (typeof ROUTE_LIST)[number], more: object) =>
    fetch(front.url + route.path, requestOf(route, more));
  // What routes it has is found out after the first check.
  await eventually(async () => (await ask(ROUTES.rerank, {})).ok || undefined);
  const found: Record<string, unknown> = {};
  for (const route of ROUTE_LIST) {
    const kinds = [{ stream: false }, { stream: true }, { user: "refuse", prompt: "refuse" }];
    for (const more of kinds) {
      const response = await ask(route, more);
      await response.arrayBuffer();
      const what = `${route.name} ${JSON.stringify(more)} ${response.status}`;
      if (!Bun.deepEquals(told(response), TRUTH)) found[what] = told(response);
    }
  }
  expect(found).toEqual({});
  const kept = await fetch(`${front.url}/v1/responses/r1`);
  expect([kept.status, ...told(kept)]).toEqual([200, ...TRUTH]);
});

test("an answer of the balancer's own names nobody", async () => {
  await using front = await fakeBalancer({});
  const response = await front.post("/v1/chat/completions", { model: "m", messages: [] });
  expect([response.ok, ...told(response)]).toEqual([false, null, null]);
});

test("switched off, nothing is said, and no endpoint's lies either", async () => {
  await using server = lying();
  const settings = { aliases: ALIASES, servedBy: false };
  await using front = await fakeBalancer({ a: server.url.origin }, settings);
  const response = await front.post("/v1/chat/completions", { model: "m", messages: [] });
  expect([response.status, ...told(response)]).toEqual([200, null, null]);
});

test("a page may read who served it", async () => {
  await using front = await fakeBalancer({});
  const headers = { origin: "http://localhost:3000" };
  const response = await front.post("/v1/chat/completions", {}, headers);
  const exposed = response.headers.get("access-control-expose-headers");
  expect(exposed).toContain("x-llmlb-endpoint, x-llmlb-model");
});
