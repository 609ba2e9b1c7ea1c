import { afterEach, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** An address in front of a server that is named later, with the requests that passed it. */
function relay() {
  const passed: string[] = [];
  let target = "http://127.0.0.1:9";
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "POST") passed.push(pathname);
      // What it leads to may be gone while it is still asked.
      const gone = () => new Response(null, { status: 502 });
      return fetch(new Request(target + pathname, request)).catch(gone);
    },
  });
  opened.push({ [Symbol.asyncDispose]: () => server.stop(true) });
  const leadsTo = (url: string) => {
    target = url;
  };
  return { url: server.url.origin, passed, leadsTo };
}

async function balancer(...args: Parameters<typeof fakeBalancer>) {
  const made = await fakeBalancer(...args);
  opened.push(made);
  return made;
}

test("a provider that is this balancer refuses the request that comes back", async () => {
  const way = relay();
  const front = await balancer({}, { openaiApiKey: "o", openaiBaseUrl: way.url, fallbacks: [ALL] });
  way.leadsTo(front.url);
  const chat = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
  const answer = await front.post("/v1/chat/completions", chat);
  expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([508, "false"]);
  expect(await answer.json()).toMatchObject({ error: { code: "loop_detected" } });
  const message = { ...chat, max_tokens: 1, model: "openai:gpt-4o" };
  const other = await front.post("/v1/messages", message);
  expect(other.status).toBe(508);
  expect(await other.json()).toMatchObject({
    type: "error",
    error: { message: expect.stringContaining("leads back") },
  });
  expect(way.passed).toEqual(Array(2).fill("/v1/chat/completions"));
});

const ALL = { model: "*", to: "openai:gpt-4o" };

test("an endpoint that is this balancer is told as such by its checks", async () => {
  const front = await balancer({});
  const created = await fetch(`${front.url}/api/endpoints`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "me", base_url: front.url }),
  });
  const { id } = (await created.json()) as { id: string };
  const tested = await fetch(`${front.url}/api/endpoints/${id}/test`, { method: "POST" });
  expect(await tested.text()).toContain("is that of this balancer itself");
});

test("two balancers that name each other ask each other once", async () => {
  const way = relay();
  const answers = [200];
  const real = fakeEndpoint(["m"], () =>
    Response.json({ choices: [] }, { status: answers.shift() ?? 503 }),
  );
  opened.push({ [Symbol.asyncDispose]: async () => real[Symbol.dispose]() });
  const one = await balancer({ real: real.url });
  const two = await balancer({ one: one.url });
  way.leadsTo(two.url);
  const added = await fetch(`${one.url}/api/endpoints`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "two", base_url: way.url }),
  });
  expect(added.ok).toBe(true);
  const chat = { model: "m", messages: [{ role: "user", content: "hi" }] };
  expect((await two.post("/v1/chat/completions", chat)).status).toBe(200);
  expect((await two.post("/v1/chat/completions", chat)).status).toBeGreaterThan(500);
  const { length } = way.passed.filter((path) => path === "/v1/chat/completions");
  expect([real.requests.length, length <= 2]).toEqual([2, true]);
});
