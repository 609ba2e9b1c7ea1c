import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";

/** An endpoint that lets its callers wait for what it says of a route, and then has it or not. */
function hesitant(path: string, has: boolean) {
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ object: "list", data: [{ id: "m" }] });
      if (pathname !== path) return new Response("no", { status: 404 });
      const body = (await request.json()) as { model?: string };
      if (body.model !== undefined) return Response.json({ made: true });
      asked.resolve();
      await answer.promise;
      return new Response("no", { status: has ? 400 : 404 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked: asked.promise,
    answer: answer.resolve,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const PATH = "/v1/rerank";
const BODY = { model: "m", query: "a", documents: ["b"] };

test("a request waits until the endpoint was asked for its route", async () => {
  using endpoint = hesitant(PATH, true);
  await using balancer = await fakeBalancer({ one: endpoint.url });
  const response = balancer.post(PATH, BODY);
  await endpoint.asked;
  endpoint.answer();
  expect(await (await response).json()).toEqual({ made: true });
});

test("a request for a route that the endpoint turns out not to have is refused", async () => {
  using endpoint = hesitant(PATH, false);
  await using balancer = await fakeBalancer({ one: endpoint.url });
  const response = balancer.post(PATH, BODY);
  await endpoint.asked;
  endpoint.answer();
  const refused = { error: { code: "model_capability_mismatch" } };
  expect(await (await response).json()).toMatchObject(refused);
  expect(await (await balancer.post(PATH, BODY)).json()).toMatchObject(refused);
});

test("a request that waits for that ends with its client", async () => {
  using endpoint = hesitant(PATH, true);
  await using balancer = await fakeBalancer({ one: endpoint.url });
  const { signal, abort } = aborting();
  const response = fetch(balancer.url + PATH, {
    ...{ method: "POST", body: JSON.stringify(BODY), signal },
    headers: { "content-type": "application/json" },
  });
  await endpoint.asked;
  abort();
  expect(await response.catch((error: Error) => error.name)).toBe("AbortError");
  endpoint.answer();
});

function aborting() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
