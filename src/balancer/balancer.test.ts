import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { fakeBalancer } from "../testkit/balancer.ts";
import { fakeEndpoint } from "../testkit/servers/endpoint.ts";
import { rawAnswer, rawChunks, rawTarget } from "../testkit/servers/tcp.ts";

const CHAT = "/v1/chat/completions";
const LIST = rawAnswer('{"data":[{"id":"m"}]}');

/** An endpoint that lists `m` and then misbehaves as a raw server can. */
function brokenEndpoint(how: "end" | "reset" | "silent") {
  return rawTarget((c) => {
    if (c.received.startsWith("GET /v1/models")) c.send(LIST);
    else if (how !== "silent") c[how]();
  });
}

describe("an inference request", () => {
  test("goes to the endpoint that has the model, as it is, with the endpoint's key", async () => {
    using other = fakeEndpoint(["other"], () => new Response("wrong"));
    using has = fakeEndpoint(["m"], async (r) => Response.json({ got: await r.text() }));
    const key = { url: `${has.url}/v1/`, apiKey: "sk_endpoint" };
    await using front = await fakeBalancer({ other: other.url, has: key });
    const body = '{ "model":"m",  "temperature":1.0, "é":"\\u00e9" }';
    const response = await front.post(`${CHAT}?beta=true`, body, {
      authorization: "Bearer sk_client",
      "x-api-key": "sk_client",
      "x-request-id": "r-1",
    });
    expect(await response.json()).toEqual({ got: body });
    expect(response.headers.get("x-request-id")).toBe("r-1");
    const [request] = has.requests;
    expect(request?.url).toEndWith(`${CHAT}?beta=true`);
    expect(request?.headers.get("authorization")).toBe("Bearer sk_endpoint");
    expect(request?.headers.get("x-api-key")).toBeNull();
    expect(request?.headers.get("x-request-id")).toBe("r-1");
  });

  test("goes to each of equal endpoints in turn, and around a busy one", async () => {
    const hold = Promise.withResolvers<void>();
    const wait = async () => {
      await hold.promise;
      return Response.json({});
    };
    using a = fakeEndpoint(["m"], wait);
    using b = fakeEndpoint(["m"], wait);
    using c = fakeEndpoint(["m"], wait);
    await using front = await fakeBalancer({ a: a.url, b: b.url, c: c.url });
    const sent = Array.from({ length: 9 }, () => front.post(CHAT, { model: "m" }));
    while (a.active + b.active + c.active < 9) await Bun.sleep(1);
    expect([a.active, b.active, c.active]).toEqual([3, 3, 3]);
    hold.resolve();
    await Promise.all(sent);
  });

  test("for an unknown model is 404 and says what to do", async () => {
    using a = fakeEndpoint(["m"], () => new Response());
    await using front = await fakeBalancer({ a: a.url });
    const response = await front.post(CHAT, { model: "nope" });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: {
        message: expect.stringContaining("GET /v1/models"),
        type: "invalid_request_error",
        code: "model_not_found",
        param: "model",
      },
    });
  });

  test("for a model whose endpoint is gone is 503 with Retry-After", async () => {
    const a = fakeEndpoint(["m"], () => new Response());
    await using front = await fakeBalancer({ a: a.url });
    a[Symbol.dispose]();
    expect((await front.post(CHAT, { model: "m" })).status).toBe(502);
    await front.until("a", "offline");
    const response = await front.post("/v1/messages", { model: "m" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.json()).toMatchObject({ error: { type: "overloaded_error" } });
  });

  test("without any endpoint is 503", async () => {
    await using front = await fakeBalancer({});
    const response = await front.post(CHAT, { model: "m" });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("--endpoint");
  });

  test("waits for the first check of an endpoint that was just added", async () => {
    using a = fakeEndpoint(["m"], () => Response.json({}));
    await using front = await fakeBalancer({});
    front.balancer.addLocal({ name: "local", url: a.url });
    expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
  });
});

/** The message of an error. */
async function told(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { message: string } };
  return error.message;
}

describe("an endpoint that fails before the first byte", () => {
  test.each(["end", "reset", "silent"] as const)("(%s) is passed over", async (how) => {
    using bad = brokenEndpoint(how);
    using good = fakeEndpoint(["m"], () => Response.json({ ok: true }));
    const limits = { firstByteTimeoutMs: 500 };
    await using front = await fakeBalancer({ bad: bad.url, good: good.url }, limits);
    for (let i = 0; i < 4; i += 1) {
      expect((await front.post(CHAT, { model: "m", stream: true })).status).toBe(200);
    }
    expect(good.requests).toHaveLength(4);
  });

  test.each([429, 502, 503])("with %d is passed over", async (status) => {
    using bad = fakeEndpoint(["m"], () => new Response("busy", { status }));
    using good = fakeEndpoint(["m"], () => Response.json({ ok: true }));
    await using front = await fakeBalancer({ bad: bad.url, good: good.url });
    for (let i = 0; i < 4; i += 1) {
      expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
    }
    expect(bad.requests.length).toBeGreaterThan(0);
  });

  test("is given up after two others, and the last answer passes", async () => {
    const busy = () => new Response("full", { status: 503, headers: { "retry-after": "9" } });
    const all = Array.from({ length: 5 }, () => fakeEndpoint(["m"], busy));
    const urls = Object.fromEntries(all.map(({ url }, i) => [`e${i}`, url]));
    await using front = await fakeBalancer(urls);
    const response = await front.post(CHAT, { model: "m" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "9"]);
    expect(await told(response)).toMatch(/^The request failed at endpoint e\d \(503\): full$/);
    expect(all.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(3);
    for (const endpoint of all) endpoint[Symbol.dispose]();
  });

  test("with 500 is passed over unless the answer is a stream", async () => {
    using bad = fakeEndpoint(["m"], () => new Response("its own words", { status: 500 }));
    await using alone = await fakeBalancer({ bad: bad.url });
    const response = await alone.post(CHAT, { model: "m" });
    expect([response.status, await told(response)]).toEqual([
      500,
      "The request failed at endpoint bad (500): its own words",
    ]);
    using good = fakeEndpoint(["m"], () => Response.json({ ok: true }));
    await using front = await fakeBalancer({ bad: bad.url, good: good.url });
    const before = bad.requests.length;
    for (let i = 0; i < 4; i += 1) {
      expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
    }
    expect(bad.requests.length).toBeGreaterThan(before);
  });

  test("with a status that is the request's is not; 404, 500 are tried once more", async () => {
    let status = 200;
    using a = fakeEndpoint(["m"], () => new Response("its own words", { status }));
    using b = fakeEndpoint(["m"], () => new Response("its own words", { status }));
    const turns = { strategy: "round-robin" } as const;
    await using front = await fakeBalancer({ a: a.url, b: b.url }, turns);
    for (const wrong of [400, 404, 422, 500]) {
      status = 200;
      for (let i = 0; i < 2; i += 1) await front.post(CHAT, { model: "m" });
      status = wrong;
      const response = await front.post(CHAT, { model: "m", stream: true });
      expect(response.status).toBe(status);
      expect(await told(response)).toEndWith(`(${status}): its own words`);
    }
    expect(a.requests.length + b.requests.length).toBe(4 * 2 + 1 + 2 + 1 + 2);
  });
});

test("an endpoint that breaks off in mid-stream is an APIError to the OpenAI SDK", async () => {
  const chunk = JSON.stringify({ choices: [{ index: 0, delta: { content: "hi" } }] });
  using bad = rawTarget((c) => {
    if (c.received.startsWith("GET /v1/models")) return c.send(LIST);
    c.send(rawChunks("text/event-stream", `data: ${chunk}\n\ndata: {"cho`));
    setTimeout(() => c.reset(), 10);
  });
  await using front = await fakeBalancer({ bad: bad.url });
  const client = new OpenAI({ baseURL: `${front.url}/v1`, apiKey: "none", maxRetries: 0 });
  const stream = await client.chat.completions.create({ model: "m", messages: [], stream: true });
  const texts: unknown[] = [];
  const reading = (async () => {
    for await (const part of stream) texts.push(part.choices[0]?.delta.content);
  })();
  await expect(reading).rejects.toThrow("broke off");
  expect(texts).toEqual(["hi"]);
});

test("requests in flight are counted until their stream ends, for draining", async () => {
  const hold = Promise.withResolvers<void>();
  using a = fakeEndpoint(
    ["m"],
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            controller.enqueue("data: 1\n\n");
            await hold.promise;
            controller.close();
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  );
  await using front = await fakeBalancer({ a: a.url });
  const response = await front.post(CHAT, { model: "m", stream: true });
  expect(front.balancer.drain.active).toBe(1);
  const drained = front.balancer.drain.close(10_000);
  expect((await front.post(CHAT, { model: "m" })).status).toBe(503);
  expect((await fetch(`${front.url}/ready`)).status).toBe(503);
  expect((await fetch(`${front.url}/health`)).status).toBe(200);
  hold.resolve();
  expect(await response.text()).toContain("data: 1\n\n");
  expect(await drained).toBe(true);
});

test("the routes can be matched by one regular expression, which is Hono's fast way", async () => {
  await using front = await fakeBalancer({});
  await fetch(`${front.url}/v1/models`);
  expect(front.balancer.app.router.name).toBe("SmartRouter + RegExpRouter");
});
