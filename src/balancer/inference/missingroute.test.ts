import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

/** An endpoint that chats and has no other route. */
function chatOnly() {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      const isChat = pathname === "/v1/chat/completions";
      return Response.json({ by: "chat only" }, { status: isChat ? 200 : 404 });
    },
  });
}

test("requests go past endpoints that lack their route, though those have the model", async () => {
  await using lacking = chatOnly();
  using whole = fakeEndpoint(["m"], () => Response.json({ by: "whole" }));
  await using front = await fakeBalancer({ a: lacking.url.origin, b: whole.url });
  const by = async (path: string) => {
    const answers = [1, 2, 3, 4].map(() => front.post(path, { model: "m", prompt: "a" }));
    return Promise.all(
      answers.map(async (one) => ((await (await one).json()) as { by: string }).by),
    );
  };
  // Until it has been asked, an endpoint is taken to have what most have.
  const areWhole = async () =>
    (await by("/v1/completions")).every((one) => one === "whole") || undefined;
  expect(await eventually(areWhole)).toBe(true);
  expect(new Set(await by("/v1/chat/completions"))).toEqual(new Set(["chat only", "whole"]));
});

test("a route that no endpoint of the model has is refused, and what for", async () => {
  await using lacking = chatOnly();
  await using front = await fakeBalancer({ a: lacking.url.origin });
  let response = await front.post("/v1/embeddings", { model: "m", input: "a" });
  while (response.status === 404) {
    response = await front.post("/v1/embeddings", { model: "m", input: "a" });
  }
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { code: "model_capability_mismatch", message: expect.stringContaining("embeddings") },
  });
});
