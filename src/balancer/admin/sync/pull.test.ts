import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import { type Hub, startHub } from "../../../testkit/servers/hub/hub.ts";
import { tinyRepo } from "../../../testkit/servers/hub/samples.ts";

const ID = "hf/llmlb/tiny-GGUF";

let hub: Hub;
let balancer: FakeBalancer;
beforeAll(async () => {
  hub = await startHub();
  await hub.add(tinyRepo());
  balancer = await fakeBalancer({}, { hubUrl: hub.url });
  await balancer.post("/api/models/register", { repo: "llmlb/tiny-GGUF", aliases: ["tiny"] });
});
afterAll(async () => {
  await balancer[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
});

async function pull(name: string): Promise<{ status: number; body: unknown }> {
  const response = await balancer.post(`/api/models/${name}/pull`, "");
  return { status: response.status, body: await response.json() };
}

test("a model that nobody can fetch, or that is not there, is refused", async () => {
  expect(await pull("tiny")).toMatchObject({ status: 409, body: { error: { code: "no_nodes" } } });
  expect(await pull("acme/other")).toMatchObject({
    ...{ status: 404, body: { error: { code: "model_not_found" } } },
  });
  expect((await balancer.post(`/api/models/${ID}/push`, "")).status).toBe(405);
});

test("nodes that a model is assigned to are notified", async () => {
  const notified = Promise.withResolvers<string>();
  using node = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    routes: {
      "/v1/models": () => Response.json({ object: "list", data: [] }),
      "/api/models/pull": {
        POST: async (request) => {
          notified.resolve(await request.text());
          return Response.json({ status: "syncing" }, { status: 202 });
        },
      },
    },
    fetch: () => new Response("not here", { status: 404 }),
  });
  balancer.balancer.addLocal({ name: "local", url: node.url.origin });
  await balancer.until("local", "online");
  expect(await pull("tiny")).toEqual({
    status: 202,
    body: {
      ...{ status: "pulling", model: ID, nodes: ["local"] },
      progress_url: `/api/models/${ID}/progress`,
    },
  });
  expect(await notified.promise).toBe("{}");
  expect(await pull(encodeURIComponent(ID))).toMatchObject({ status: 202 });
});
