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

/** Settles when an endpoint was seen to answer checks beside a request. */
async function seenBeside({ url }: FakeBalancer): Promise<void> {
  // A check says so only of a request that came half a second before it.
  const startedMs = performance.now();
  await eventually(async () => {
    const { endpoints } = (await (await fetch(`${url}/api/endpoints`)).json()) as {
      endpoints: { last_seen: string }[];
    };
    const seenAt = Date.parse(endpoints[0]?.last_seen ?? "");
    return performance.now() - startedMs > 700 && Date.now() - seenAt < 300 ? true : undefined;
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

test.each(REQUESTS)("without another endpoint the client is told: %s", async (_, path, body) => {
  using hangs = hanging();
  await using front = await fakeBalancer({ hangs: hangs.url }, CHECKS);
  const answering = front.post(path, { model: "m", ...body });
  await eventually(() => hangs.requests.length === 1 || undefined);
  await seenBeside(front);
  hangs.down = true;
  const text = await (await answering).text();
  expect(text).toContain("nothing more of its answer came");
});

test.each(["/v1/chat/completions", "/v1/messages"])(
  "a stream of which nothing more comes ends with an error: %s",
  async (path) => {
    const first = chunksOf([{ content: "Hel" }])[0];
    const slow = Promise.withResolvers<Response>();
    using hangs = fakeEndpoint(["m"], async (request) => {
      if (!(await request.text()).includes('"stream":true')) return slow.promise;
      const source = new ReadableStream({
        start: (controller) => controller.enqueue(`data: ${JSON.stringify(first)}\n\n`),
      });
      return new Response(source, { headers: EVENTS });
    });
    await using front = await fakeBalancer({ hangs: hangs.url }, CHECKS);
    const ask = { model: "m", messages, max_tokens: 9 };
    const whole = front.post(path, ask);
    await eventually(() => hangs.requests.length === 1 || undefined);
    await seenBeside(front);
    slow.resolve(Response.json(completion({ content: "Hello" }, "stop")));
    expect((await whole).status).toBe(200);
    const reading = front.post(path, { ...ask, stream: true }).then((answer) => answer.text());
    await eventually(() => hangs.requests.length === 2 || undefined);
    hangs.down = true;
    expect(await reading).toContain("nothing more of its answer came");
  },
);

test("a stream that goes on while checks fail is left alone", async () => {
  const [head, ...rest] = chunksOf([{ content: "Hel" }, { content: "lo" }]);
  const may = Promise.withResolvers<void>();
  const frame = (one: unknown) =>
    `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`;
  using busy = fakeEndpoint(["m"], () => {
    const source = new ReadableStream({
      async start(controller) {
        controller.enqueue(frame(head));
        const timer = setInterval(() => controller.enqueue(frame(head)), 20);
        await may.promise;
        clearInterval(timer);
        for (const one of rest) controller.enqueue(frame(one));
        controller.close();
      },
    });
    return new Response(source, { headers: EVENTS });
  });
  await using front = await fakeBalancer({ busy: busy.url }, CHECKS);
  const reading = front
    .post("/v1/chat/completions", { model: "m", messages, stream: true })
    .then((answer) => answer.text());
  await eventually(() => busy.requests.length === 1 || undefined);
  await seenBeside(front);
  busy.down = true;
  await failing(front, "busy");
  may.resolve();
  const text = await reading;
  expect(text).toContain('"lo"');
  expect(text).not.toContain("error");
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
