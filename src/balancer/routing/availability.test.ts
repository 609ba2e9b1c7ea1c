import { expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";

/** A node with a single slot, which counts how many requests it ever had at once. */
function nodeOfOne() {
  const seen = { active: 0, most: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      if (pathname === "/api/system") {
        // Later than the list, as it may be.
        await Bun.sleep(50);
        const slots = { total: 1, busy: 0 };
        return Response.json({ llmlb_version: "1", slots, models: [{ state: "ready" }] });
      }
      if (request.method === "GET") return new Response("none", { status: 404 });
      seen.active += 1;
      seen.most = Math.max(seen.most, seen.active);
      await Bun.sleep(20);
      seen.active -= 1;
      return Response.json({});
    },
  });
  const stop = () => void server.stop(true);
  return { seen, url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: stop };
}

async function ask(front: FakeBalancer): Promise<number> {
  return (await front.post("/v1/chat/completions", { model: "m" })).status;
}

test("a new node is never given more than the slots that it has", async () => {
  using node = nodeOfOne();
  await using front = await fakeBalancer({});
  const registered = await front.post("/api/endpoints", { name: "n", base_url: node.url });
  expect(registered.status).toBe(201);
  // They wait for its first check.
  const statuses = await Promise.all(Array.from({ length: 8 }, () => ask(front)));
  expect(statuses).toEqual(Array(8).fill(200));
  expect(node.seen.most).toBe(1);
});

test("slots that another machine told of do not hold for an address that is new", async () => {
  using node = nodeOfOne();
  await using front = await fakeBalancer({});
  const added = await front.post("/api/endpoints", { name: "n", base_url: node.url });
  const { id } = (await added.json()) as { id: string };
  const detail = async (init: RequestInit = {}) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${front.url}/api/endpoints/${id}`, { headers, ...init });
    return (await response.json()) as { slots_in_effect: number; status: string };
  };
  await front.until("n", "online");
  expect((await detail()).slots_in_effect).toBe(1);
  const body = JSON.stringify({ base_url: "http://127.0.0.1:9" });
  expect(await detail({ method: "PATCH", body })).toMatchObject({ slots_in_effect: 8 });
});
