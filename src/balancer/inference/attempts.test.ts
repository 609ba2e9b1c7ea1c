import { describe, expect, test } from "bun:test";
import { request } from "node:http";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { rawAnswer, rawTarget } from "../../testkit/servers/tcp.ts";

const CHAT = "/v1/chat/completions";
const ONE = { defaultSlots: 1 };

/** Sends a request from another address of this machine. */
function sendFrom(localAddress: string, url: string, id: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const headers = { "content-type": "application/json", "x-request-id": id };
  const sent = request(url, { method: "POST", headers, localAddress }, (response) => {
    response.resume().on("end", () => resolve(response.statusCode));
  });
  sent.on("error", reject).end(JSON.stringify({ model: "m" }));
  return promise;
}

interface Stats {
  waiting_count: number;
  processing_count: number;
  queued_count: number;
  timeout_count: number;
  rejected_count: number;
}

async function stats({ url }: FakeBalancer): Promise<Stats> {
  return (await (await fetch(`${url}/api/queue/stats`)).json()) as Stats;
}

async function until(front: FakeBalancer, reached: (stats: Stats) => boolean): Promise<void> {
  while (!reached(await stats(front))) await Bun.sleep(2);
}

const waiting = (count: number) => (now: Stats) => now.waiting_count === count;
const idle = (now: Stats) => now.waiting_count === 0 && now.processing_count === 0;

/** An endpoint of one model whose answers are given one by one. */
function slowEndpoint(models = ["m"]) {
  const held: PromiseWithResolvers<void>[] = [];
  const order: string[] = [];
  const endpoint = fakeEndpoint(models, async (request) => {
    order.push(request.headers.get("x-request-id") ?? "");
    const hold = Promise.withResolvers<void>();
    held.push(hold);
    await hold.promise;
    return Response.json({ ok: true });
  });
  return Object.assign(endpoint, {
    /** Ids of its requests, as they came. */
    order,
    /** Answers its oldest request, once there is one. */
    async answer() {
      while (held.length === 0) await Bun.sleep(1);
      held.shift()?.resolve();
    },
  });
}

const well = () => fakeEndpoint(["m"], () => Response.json({ ok: true }));

/** Lists `m` and takes requests that it never answers. */
const silent = () =>
  rawTarget((c) => {
    if (c.received.startsWith("GET /v1/models")) c.send(rawAnswer('{"data":[{"id":"m"}]}'));
  });

const hasWaited = ({ headers }: Response) => [
  headers.get("x-queue-status"),
  Number(headers.get("x-queue-wait-ms")) > 0,
];

describe("a request for which no slot is free", () => {
  test("waits and says so", async () => {
    using a = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url }, ONE);
    const first = front.post(CHAT, { model: "m" });
    await until(front, (now) => now.processing_count === 1);
    const second = front.post(CHAT, { model: "m" });
    await until(front, waiting(1));
    expect(a.order).toHaveLength(1);
    await a.answer();
    await a.answer();
    expect(hasWaited(await first)).toEqual([null, false]);
    expect([(await second).status, ...hasWaited(await second)]).toEqual([200, "queued", true]);
    await until(front, idle);
    expect(await stats(front)).toMatchObject({ queued_count: 1, rejected_count: 0 });
  });

  test("goes to another endpoint that has one", async () => {
    using a = slowEndpoint();
    using b = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url, b: b.url }, ONE);
    const both = [front.post(CHAT, { model: "m" }), front.post(CHAT, { model: "m" })];
    while (a.order.length + b.order.length < 2) await Bun.sleep(1);
    expect([a.order.length, b.order.length]).toEqual([1, 1]);
    await Promise.all([a.answer(), b.answer(), ...both]);
  });

  test("is refused with 429 when the queue is full", async () => {
    using a = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url }, { ...ONE, queueMax: 1 });
    const served = [front.post(CHAT, { model: "m" })];
    await until(front, (now) => now.processing_count === 1);
    served.push(front.post(CHAT, { model: "m" }));
    await until(front, waiting(1));
    const refused = await front.post(CHAT, { model: "m" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(await refused.json()).toMatchObject({ error: { code: "queue_full" } });
    await a.answer();
    await a.answer();
    for (const answer of served) expect((await answer).status).toBe(200);
  });

  test.each([0, 50])("is refused with 504 after the queue timeout of %d ms", async (timeoutMs) => {
    using a = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url }, { ...ONE, queueTimeoutMs: timeoutMs });
    const first = front.post(CHAT, { model: "m" });
    await until(front, (now) => now.processing_count === 1);
    const refused = await front.post(CHAT, { model: "m" });
    expect(refused.status).toBe(504);
    expect(await refused.json()).toMatchObject({ error: { code: "queue_timeout" } });
    expect(await stats(front)).toMatchObject({ waiting_count: 0, timeout_count: 1 });
    await a.answer();
    await first;
  });

  test("leaves the queue when its client leaves", async () => {
    using a = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url }, ONE);
    const first = front.post(CHAT, { model: "m" });
    await until(front, (now) => now.processing_count === 1);
    const gone = new AbortController();
    const body = JSON.stringify({ model: "m" });
    const left = fetch(front.url + CHAT, { method: "POST", body, signal: gone.signal });
    left.catch(() => undefined);
    await until(front, waiting(1));
    gone.abort();
    await until(front, waiting(0));
    await a.answer();
    expect((await first).status).toBe(200);
    await until(front, idle);
    expect(a.order).toHaveLength(1);
  });

  // Elsewhere a machine has but one address of its own.
  const onLinux = test.skipIf(process.platform !== "linux");
  onLinux("is served before the second one of a client that floods with many keys", async () => {
    using a = slowEndpoint();
    await using front = await fakeBalancer({ a: a.url }, ONE);
    const send = (key: string, id: string) =>
      front.post(CHAT, { model: "m" }, { authorization: `Bearer ${key}`, "x-request-id": id });
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 10; i += 1) {
      all.push(send(`sk-${i}`, `flood-${i}`));
      await until(front, i === 0 ? (now) => now.processing_count === 1 : waiting(i));
    }
    all.push(sendFrom("127.0.0.2", front.url + CHAT, "polite"));
    await until(front, waiting(10));
    for (let i = 0; i < 11; i += 1) await a.answer();
    await Promise.all(all);
    expect(a.order.indexOf("polite")).toBeLessThanOrEqual(2);
    await until(front, idle);
  });
});

test("a client that leaves while it is served frees its slot", async () => {
  using a = slowEndpoint();
  await using front = await fakeBalancer({ a: a.url }, ONE);
  const gone = new AbortController();
  const body = JSON.stringify({ model: "m" });
  const left = fetch(front.url + CHAT, { method: "POST", body, signal: gone.signal });
  left.catch(() => undefined);
  await until(front, (now) => now.processing_count === 1);
  const next = front.post(CHAT, { model: "m" });
  await until(front, waiting(1));
  gone.abort();
  while (a.order.length < 2) await Bun.sleep(1);
  await a.answer();
  await a.answer();
  expect((await next).status).toBe(200);
  await until(front, idle);
});

describe("a request that an endpoint failed", () => {
  test("waits for a slot of another one", async () => {
    using bad = fakeEndpoint(["m"], () => new Response("gone", { status: 503 }));
    using good = slowEndpoint();
    await using front = await fakeBalancer({ bad: bad.url, good: good.url }, ONE);
    const all = Array.from({ length: 4 }, () => front.post(CHAT, { model: "m" }));
    for (let i = 0; i < 4; i += 1) await good.answer();
    for (const answer of all) expect((await answer).status).toBe(200);
    expect(bad.requests.length).toBeGreaterThan(0);
    await until(front, idle);
  });

  test("gets the last failure when no other is there", async () => {
    using bad = fakeEndpoint(["m"], () => new Response("its words", { status: 503 }));
    await using front = await fakeBalancer({ bad: bad.url }, ONE);
    const answer = await front.post(CHAT, { model: "m" });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      error: { message: "The request failed at endpoint bad (503): its words" },
    });
    await until(front, idle);
  });

  test("has the time of one for all its tries", async () => {
    using a = silent();
    using b = silent();
    using c = silent();
    const limits = { firstByteTimeoutMs: 300 };
    await using front = await fakeBalancer({ a: a.url, b: b.url, c: c.url }, limits);
    const startedAt = performance.now();
    expect((await front.post(CHAT, { model: "m" })).status).toBe(504);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(290);
    expect(tookMs).toBeLessThan(500);
    await until(front, idle);
  });

  test("has time for the others when one hangs", async () => {
    using hangs = silent();
    using good = well();
    const limits = { firstByteTimeoutMs: 10_000, tryTimeoutMs: 100 };
    await using front = await fakeBalancer({ hangs: hangs.url, good: good.url }, limits);
    for (let i = 0; i < 4; i += 1) {
      const startedAt = performance.now();
      expect((await front.post(CHAT, { model: "m", stream: true })).status).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(1000);
    }
  });

  test("lets a slow endpoint make its answer in one piece, though there are others", async () => {
    const slowly = async () => {
      await Bun.sleep(300);
      return Response.json({ ok: true });
    };
    using a = fakeEndpoint(["m"], slowly);
    using b = fakeEndpoint(["m"], slowly);
    const limits = { firstByteTimeoutMs: 10_000, tryTimeoutMs: 100 };
    await using front = await fakeBalancer({ a: a.url, b: b.url }, limits);
    expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
    expect(a.requests.length + b.requests.length).toBe(1);
  });

  test("gives one endpoint all the time when there is no other", async () => {
    using slow = fakeEndpoint(["m"], async () => {
      await Bun.sleep(300);
      return Response.json({ ok: true });
    });
    const limits = { firstByteTimeoutMs: 10_000, tryTimeoutMs: 100 };
    await using front = await fakeBalancer({ slow: slow.url }, limits);
    expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
  });
});

describe("an endpoint", () => {
  test("whose circuit is open is waited for, and serves again", async () => {
    let fails = true;
    using a = fakeEndpoint(["m"], () =>
      fails ? new Response("broken", { status: 500 }) : Response.json({ ok: true }),
    );
    await using front = await fakeBalancer({ a: a.url });
    for (let i = 0; i < 5; i += 1) {
      expect((await front.post(CHAT, { model: "m" })).status).toBe(500);
    }
    fails = false;
    const answer = await front.post(CHAT, { model: "m" });
    expect([answer.status, ...hasWaited(answer)]).toEqual([200, "queued", true]);
    expect(a.requests).toHaveLength(6);
    expect(hasWaited(await front.post(CHAT, { model: "m" }))).toEqual([null, false]);
  });

  test("that gets the model later is soon used, however fast the others are", async () => {
    using a = well();
    using b = well();
    b.models = [];
    const more = { strategy: "latency", healthIntervalMs: 20 } as const;
    await using front = await fakeBalancer({ a: a.url, b: b.url }, more);
    for (let i = 0; i < 10; i += 1) await front.post(CHAT, { model: "m" });
    expect([a.requests.length, b.requests.length]).toEqual([10, 0]);
    b.models = ["m"];
    while (b.requests.length === 0) await front.post(CHAT, { model: "m" });
  });

  test("is measured anew when it was offline", async () => {
    using fast = well();
    using slow = fakeEndpoint(["m"], async () => {
      await Bun.sleep(50);
      return Response.json({ ok: true });
    });
    const more = { strategy: "latency", healthIntervalMs: 20 } as const;
    await using front = await fakeBalancer({ fast: fast.url, slow: slow.url }, more);
    for (let i = 0; i < 10; i += 1) await front.post(CHAT, { model: "m" });
    expect(slow.requests).toHaveLength(1);
    slow.down = true;
    await front.until("slow", "offline");
    slow.down = false;
    await front.until("slow", "online");
    await front.post(CHAT, { model: "m" });
    expect(slow.requests).toHaveLength(2);
  });
});

test("requests with the same long beginning go where it is known", async () => {
  using a = well();
  using b = well();
  await using front = await fakeBalancer({ a: a.url, b: b.url });
  const chat = (text: string) => ({ model: "m", messages: [{ role: "user", content: text }] });
  for (const id of ["x", "y"]) await front.post(CHAT, chat(id.repeat(1000)));
  expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  for (let i = 0; i < 6; i += 1) await front.post(CHAT, chat("x".repeat(1000) + i));
  expect([a.requests.length, b.requests.length].toSorted()).toEqual([1, 7]);
});
