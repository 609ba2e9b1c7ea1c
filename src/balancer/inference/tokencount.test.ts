import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

const COUNT = "/v1/messages/count_tokens";
const BODY = { model: "m", messages: [{ role: "user", content: "x".repeat(400) }] };

/** An endpoint that counts tokens: 7, whatever it is asked. */
function counting() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      if (pathname !== COUNT) return new Response("not here", { status: 404 });
      const isEmpty = Object.keys((await request.json()) as object).length === 0;
      if (isEmpty) return Response.json({ error: { message: "no model" } }, { status: 400 });
      return Response.json({ input_tokens: 7 });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

test("tokens are counted by an endpoint that can, estimated while none is online", async () => {
  const able = counting();
  using unable = fakeEndpoint(["m"], () => new Response("not here", { status: 404 }));
  await using front = await fakeBalancer({ able: able.url, unable: unable.url });
  const count = async () => {
    const response = await front.post(COUNT, BODY);
    return response.status === 200 ? await response.json() : response.status;
  };
  // What routes it has is found out after the first check.
  const counts = async () => Bun.deepEquals(await count(), { input_tokens: 7 }) || undefined;
  expect(await eventually(counts)).toBe(true);
  await able.stop();
  await count();
  await front.until("able", "offline");
  // A quarter of the bytes, and what a message costs.
  expect(await count()).toEqual({ input_tokens: 104 });
  expect(unable.requests).toEqual([]);
});
