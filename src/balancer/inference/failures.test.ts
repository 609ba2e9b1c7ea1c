import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { rawAnswer, rawTarget } from "../../testkit/servers/tcp.ts";

const CHAT = "/v1/chat/completions";

const well = () => fakeEndpoint(["m"], () => Response.json({ ok: true }));

const hasWaited = ({ headers }: Response) => headers.get("x-queue-status") === "queued";

describe("an endpoint that lists a model but refuses its chats", () => {
  test.each([400, 401, 402, 403, 404, 408, 422])(
    "with %d is passed over, set aside, and says why",
    async (status) => {
      using bad = fakeEndpoint(["m"], () =>
        Response.json({ error: { message: "no" } }, { status }),
      );
      using good = well();
      await using front = await fakeBalancer({ bad: bad.url, good: good.url });
      for (let i = 0; i < 12; i += 1) {
        expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
      }
      expect(bad.requests).toHaveLength(5);
      const list = await (await fetch(`${front.url}/api/endpoints`)).json();
      const { id, ...shown } = list.endpoints.find(({ name }: { name: string }) => name === "bad");
      expect(shown).toMatchObject({ last_request_error: `HTTP ${status}`, circuit: "open" });
      const tested = await fetch(`${front.url}/api/endpoints/${id}/test`, { method: "POST" });
      const result = await tested.json();
      expect(result).toMatchObject({ success: false, models_found: ["m"] });
      expect(result.error).toContain(`HTTP ${status}`);
    },
  );
});

describe("a request that every endpoint refuses", () => {
  const answer = async (request: Request) =>
    (await request.text()).includes("WRONG")
      ? Response.json({ error: { message: "no" } }, { status: 400 })
      : Response.json({ ok: true });

  test("goes to two as long as they have not answered well, and closes nobody", async () => {
    using a = fakeEndpoint(["m"], answer);
    using b = fakeEndpoint(["m"], answer);
    using c = fakeEndpoint(["m"], answer);
    await using front = await fakeBalancer({ a: a.url, b: b.url, c: c.url });
    for (let i = 0; i < 10; i += 1) {
      expect((await front.post(CHAT, { model: "m", x: "WRONG" })).status).toBe(400);
    }
    const sent = [a, b, c].reduce((sum, { requests }) => sum + requests.length, 0);
    expect(sent).toBe(20);
    const { endpoints } = await (await fetch(`${front.url}/api/endpoints`)).json();
    for (const { circuit, last_request_error: reason } of endpoints) {
      expect([circuit, reason]).toEqual(["closed", null]);
    }
  });

  test("goes to one that has answered well", async () => {
    using a = fakeEndpoint(["m"], answer);
    using b = fakeEndpoint(["m"], answer);
    await using front = await fakeBalancer({ a: a.url, b: b.url });
    for (let i = 0; i < 4; i += 1) await front.post(CHAT, { model: "m" });
    expect((await front.post(CHAT, { model: "m", x: "WRONG" })).status).toBe(400);
    expect(a.requests.length + b.requests.length).toBe(5);
  });

  test("does not close the only endpoint", async () => {
    using a = fakeEndpoint(["m"], answer);
    await using front = await fakeBalancer({ a: a.url });
    for (let i = 0; i < 10; i += 1) await front.post(CHAT, { model: "m", x: "WRONG" });
    expect(hasWaited(await front.post(CHAT, { model: "m" }))).toBe(false);
    expect(a.requests).toHaveLength(11);
  });

  test("is told in the words of who refused it, whatever fails after that", async () => {
    using wrong = fakeEndpoint(["m"], answer);
    using broken = fakeEndpoint(["m"], () => new Response("broken", { status: 503 }));
    await using front = await fakeBalancer({ wrong: wrong.url, broken: broken.url });
    for (let i = 0; i < 4; i += 1) {
      expect((await front.post(CHAT, { model: "m", x: "WRONG" })).status).toBe(400);
    }
  });
});

describe("a request that every endpoint fails", () => {
  test("with 500 goes to two and closes nobody to others", async () => {
    const poison = async (request: Request) =>
      (await request.text()).includes("POISON")
        ? Response.json({ error: { message: "no" } }, { status: 500 })
        : Response.json({ ok: true });
    using a = fakeEndpoint(["m", "n"], poison);
    using b = fakeEndpoint(["m", "n"], poison);
    using c = fakeEndpoint(["m", "n"], poison);
    await using front = await fakeBalancer({ a: a.url, b: b.url, c: c.url });
    for (let i = 0; i < 10; i += 1) {
      expect((await front.post(CHAT, { model: "m", x: "POISON" })).status).toBe(500);
    }
    const sent = [a, b, c].reduce((sum, { requests }) => sum + requests.length, 0);
    expect(sent).toBe(20);
    for (const model of ["m", "n"]) {
      expect((await front.post(CHAT, { model })).status).toBe(200);
    }
  });

  test("by dying of it kills two", async () => {
    let deaths = 0;
    const mortal = () =>
      rawTarget((connection) => {
        if (connection.received.startsWith("GET /v1/models")) {
          return connection.send(rawAnswer('{"data":[{"id":"m"}]}'));
        }
        if (connection.received.includes("CRASH")) deaths += 1;
        connection.end();
      });
    using a = mortal();
    using b = mortal();
    using c = mortal();
    await using front = await fakeBalancer({ a: a.url, b: b.url, c: c.url });
    expect((await front.post(CHAT, { model: "m", x: "CRASH" })).status).toBe(502);
    expect(deaths).toBe(2);
  });
});

test.each([
  ["an error", () => Response.json({ error: { message: "not here", code: 404 } })],
  ["a web page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["nothing", () => new Response("")],
])("an endpoint that answers 200 with %s is passed over and set aside", async (_, answer) => {
  using bad = fakeEndpoint(["m"], answer);
  using good = well();
  await using front = await fakeBalancer({ bad: bad.url, good: good.url });
  for (let i = 0; i < 12; i += 1) {
    expect(await (await front.post(CHAT, { model: "m" })).json()).toEqual({ ok: true });
  }
  expect(bad.requests).toHaveLength(5);
});
