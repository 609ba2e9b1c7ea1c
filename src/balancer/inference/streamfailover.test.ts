import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import {
  type RawConnection,
  rawAnswer,
  rawChunk,
  rawChunks,
  rawTarget,
} from "../../testkit/servers/tcp.ts";
import { chunksOf } from "../../testkit/servers/translating.ts";

const messages = [{ role: "user" as const, content: "x" }];
const ROUTES: [string, object][] = [
  ["/v1/chat/completions", { messages }],
  ["/v1/messages", { messages, max_tokens: 5 }],
  ["/v1/responses", { input: "x" }],
  ["/api/chat", { messages }],
];

const EVENTS = { "content-type": "text/event-stream" };
const HEAD = rawChunks("text/event-stream");

const well = () =>
  fakeEndpoint(["m"], () => {
    const data = chunksOf([{ content: "Hello" }]).map((one) => {
      return `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`;
    });
    return new Response(data.join(""), { headers: EVENTS });
  });

/** Lists `m`, and does this with every chat. */
function rude(act: (connection: RawConnection) => void) {
  let chats = 0;
  const target = rawTarget((connection) => {
    if (connection.received.startsWith("GET /v1/models")) {
      return connection.send(rawAnswer('{"data":[{"id":"m"}]}'));
    }
    if (!connection.received.includes('"stream"')) {
      return connection.send(rawAnswer("no", "text/plain", "404 Not Found"));
    }
    chats += 1;
    act(connection);
  });
  return Object.assign(target, { chats: () => chats });
}

const dies = (c: RawConnection) => {
  c.send(HEAD);
  c.end();
};

const RUDE: [string, (connection: RawConnection) => void][] = [
  ["dies behind its headers", dies],
  [
    "dies behind a sign of life",
    (c) => {
      c.send(`${HEAD}${rawChunk(": ping\n\n")}`);
      c.reset();
    },
  ],
  ["stalls behind its headers", (c) => c.send(HEAD)],
  ["ends without an event", (c) => c.send(`${HEAD}0\r\n\r\n`)],
  [
    "has an error for its first event",
    (c) => {
      c.send(`${HEAD}${rawChunk('data: {"error":{"message":"no","code":500}}\n\n')}0\r\n\r\n`);
    },
  ],
];

describe.each(RUDE)("a stream whose endpoint %s", (_, act) => {
  test.each(ROUTES)("is made by another one: %s", async (path, body) => {
    using bad = rude(act);
    using good = well();
    const limits = { tryTimeoutMs: 100, idleTimeoutMs: 100 };
    await using front = await fakeBalancer({ bad: bad.url, good: good.url }, limits);
    for (let i = 0; i < 4; i += 1) {
      const answer = await front.post(path, { model: "m", stream: true, ...body });
      const text = await answer.text();
      expect(text).toContain("Hello");
      expect(text).not.toMatch(/"error":[^n]/);
    }
    expect(bad.chats()).toBeGreaterThan(0);
  });
});

test("an endpoint that only sends headers is set aside, and says why", async () => {
  using bad = rude(dies);
  using good = well();
  await using front = await fakeBalancer(
    { bad: bad.url, good: good.url },
    { healthIntervalMs: 60_000 },
  );
  const body = { model: "m", stream: true, messages };
  for (let i = 0; i < 20; i += 1) {
    expect(await (await front.post("/v1/chat/completions", body)).text()).toContain("Hello");
  }
  expect(bad.chats()).toBeLessThan(6);
  const { endpoints } = await (await fetch(`${front.url}/api/endpoints`)).json();
  const shown = endpoints.find(({ name }: { name: string }) => name === "bad");
  expect(shown.last_request_error).toMatch(/^Sending the request .* broke off/);
});

test("a stream that kills whoever begins it goes to two and ends with an error", async () => {
  const all = [1, 2, 3].map(() => rude(dies));
  const [a, b, c] = all.map(({ url }) => url);
  await using front = await fakeBalancer({ a: String(a), b: String(b), c: String(c) });
  const answer = await front.post("/v1/chat/completions", { model: "m", stream: true, messages });
  expect(await answer.text()).toContain('"code":"upstream"');
  expect(all.reduce((sum, { chats }) => sum + chats(), 0)).toBe(2);
  for (const one of all) one[Symbol.dispose]();
});

test("whoever leaves a stream that another endpoint took over frees its slot", async () => {
  using bad = rude(dies);
  const left = Promise.withResolvers<void>();
  using slow = fakeEndpoint(["m"], () => {
    const body = new ReadableStream({
      start: (controller) =>
        controller.enqueue(new TextEncoder().encode('data: {"choices":[]}\n\n')),
      cancel: () => left.resolve(),
    });
    return new Response(body, { headers: EVENTS });
  });
  await using front = await fakeBalancer({ bad: bad.url, slow: slow.url });
  for (let i = 0; i < 2; i += 1) {
    const body = { model: "m", stream: true, messages };
    const answer = await front.post("/v1/chat/completions", body);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    await left.promise;
  }
  expect(bad.chats()).toBeGreaterThan(0);
  const active = async () => {
    const stats = await (await fetch(`${front.url}/api/queue/stats`)).json();
    return stats.processing_count;
  };
  while ((await active()) > 0) await Bun.sleep(2);
});
