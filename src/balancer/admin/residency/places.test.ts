import { expect, test } from "bun:test";
import { fakeBalancer } from "../../../testkit/balancer.ts";
import { fakeEndpoint } from "../../../testkit/servers/endpoint.ts";
import { startHub } from "../../../testkit/servers/hub/hub.ts";
import { tinyRepo } from "../../../testkit/servers/hub/samples.ts";
import { ModelPlaces } from "../../../wire/modelplace.ts";

test("the endpoints of a model, by any of its names, and what they can be asked", async () => {
  await using hub = await startHub();
  await hub.add(tinyRepo());
  using one = fakeEndpoint(["tiny", "hf/llmlb/tiny-GGUF"], () => new Response());
  await using front = await fakeBalancer({ b: one.url }, { hubUrl: hub.url });
  const placesOf = async (name: string) => {
    const response = await fetch(`${front.url}/api/models/${name}/endpoints`);
    return { status: response.status, body: await response.json() };
  };
  const place = { endpoint: "b", status: "online", state: null, pinned: false, actions: [] };
  const found = await placesOf("tiny");
  expect(ModelPlaces.parse(found.body)).toMatchObject({ model: "tiny", endpoints: [place] });
  expect((await placesOf("none")).status).toBe(404);
  const body = { repo: "llmlb/tiny-GGUF", aliases: ["mine"] };
  expect((await front.post("/api/models/register", body)).status).toBe(201);
  expect((await placesOf("mine")).body).toMatchObject({
    ...{ model: "hf/llmlb/tiny-GGUF", endpoints: [place] },
  });
  one[Symbol.dispose]();
});
