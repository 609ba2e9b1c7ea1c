import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";

const PATH = "/v1/messages";
const LINE = "x-anthropic-billing-header: cc_version=2.1; cch=";

/** An endpoint that speaks messages itself, and the last body that it got there. */
function speaking(owner: string) {
  const got = { body: "" };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m", owned_by: owner }] });
      if (pathname !== PATH) return new Response("not here", { status: 404 });
      const text = await request.text();
      if (text === "{}") return new Response("no model", { status: 400 });
      got.body = text;
      return Response.json({ type: "message" });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, got, [Symbol.dispose]: () => void server.stop(true) };
}

test.each([
  ["llamacpp", "-"],
  ["somebody", "a5145"],
])("messages for a server of %s have the stamp %s", async (owner, stamp) => {
  using endpoint = speaking(owner);
  await using front = await fakeBalancer({ a: endpoint.url });
  const system = [{ type: "text", text: `${LINE}a5145;` }];
  const body = { model: "m", max_tokens: 5, system, messages: [{ role: "user", content: "hi" }] };
  // What it is and has is found out after the first check.
  await eventually(async () => {
    await (await front.post(PATH, body)).text();
    return endpoint.got.body !== "" || undefined;
  });
  expect(endpoint.got.body).toBe(JSON.stringify(body).replace("a5145", stamp));
});
