import { expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { type FakeEndpoint, fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { chunksOf, completion } from "../../testkit/servers/translating.ts";

const messages = [{ role: "user" as const, content: "x" }];
const REQUESTS: [string, string, object][] = [
  ["whole", "/v1/chat/completions", { messages }],
  ["streamed", "/v1/chat/completions", { messages, stream: true }],
  ["whole and translated", "/v1/messages", { messages, max_tokens: 5 }],
  ["streamed and translated", "/v1/messages", { messages, max_tokens: 5, stream: true }],
];
const EVENTS = { "content-type": "text/event-stream" };
const CHECKS = { healthIntervalMs: 100, healthTimeoutMs: 200 };

/** Answers what another one did not. */
function well(): FakeEndpoint {
  return fakeEndpoint(["m"], async (request) => {
    if (!(await request.text()).includes('"stream":true')) {
      return Response.json(completion({ content: "Hello" }, "stop"));
    }
    const data = chunksOf([{ content: "Hello" }]).map((one) => {
      return `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`;
    });
    return new Response(data.join(""), { headers: EVENTS });
  });
}

/** Takes requests and says nothing; of streams only the headers. */
function hanging(): FakeEndpoint {
  return fakeEndpoint(["m"], async (request) => {
    const isStream = (await request.text()).includes('"stream":true');
    if (!isStream) return new Promise<Response>(() => undefined);
    return new Response(new ReadableStream(), { headers: EVENTS });
  });
}

/** Settles when many checks of an endpoint have failed in a row. */
async function failing({ url }: FakeBalancer, name: string): Promise<void> {
  await eventually(async () => {
    const { endpoints } = (await (await fetch(`${url}/api/endpoints`)).json()) as {
      endpoints: { name: string; error_count: number }[];
    };
    return endpoints.some((one) => one.name === name && one.error_count >= 6) || undefined;
  });
}

test.each(REQUESTS)("what hangs is answered by another endpoint: %s", async (_, path, body) => {
  using hangs = hanging();
  using other = well();
  other.models = ["n"];
  await using front = await fakeBalancer({ hangs: hangs.url, other: other.url }, CHECKS);
  const answering = front.post(path, { model: "m", ...body });
  await eventually(() => hangs.requests.length === 1 || undefined);
  other.models = ["m"];
  await eventually(async () => {
    const list = await (await fetch(`${front.url}/v1/models`)).text();
    return list.includes('"n"') ? undefined : true;
  });
  hangs.down = true;
  const answer = await answering;
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain("Hello");
  expect(other.requests).toHaveLength(1);
});

test("without another endpoint it is waited for", async () => {
  const may = Promise.withResolvers<void>();
  using stalled = fakeEndpoint(["m"], async () => {
    await may.promise;
    return Response.json(completion({ content: "Hello" }, "stop"));
  });
  using other = well();
  other.models = ["n"];
  await using front = await fakeBalancer({ stalled: stalled.url, other: other.url }, CHECKS);
  const answering = front.post("/v1/chat/completions", { model: "m", messages });
  await eventually(() => stalled.requests.length === 1 || undefined);
  stalled.down = true;
  await failing(front, "stalled");
  may.resolve();
  expect(await (await answering).text()).toContain("Hello");
});

test("one that does one thing at a time is left to finish", async () => {
  const may = Promise.withResolvers<void>();
  let isBusy = false;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (isBusy) await may.promise;
      if (new URL(request.url).pathname === "/v1/models") {
        return Response.json({ data: [{ id: "m" }] });
      }
      if (request.method === "GET" || !(await request.text()).includes("messages")) {
        return new Response("not here", { status: 404 });
      }
      isBusy = true;
      await may.promise;
      return Response.json(completion({ content: "Hello" }, "stop"));
    },
  });
  await using _ = { [Symbol.asyncDispose]: () => server.stop(true) };
  using other = well();
  other.models = ["n"];
  await using front = await fakeBalancer({ busy: server.url.href, other: other.url }, CHECKS);
  const answering = front.post("/v1/chat/completions", { model: "m", messages });
  await failing(front, "busy");
  may.resolve();
  expect(await (await answering).text()).toContain("Hello");
  expect(other.requests).toHaveLength(0);
});
