import { describe, expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { rawClient } from "../../testkit/servers/tcp.ts";
import { ApiError } from "../../wire/error.ts";
import { createApp } from "./app.ts";
import { Drain } from "./drain.ts";
import { listen } from "./listen.ts";

function example() {
  const drain = new Drain();
  const app = createApp({ log: createLogger({ level: "silent" }), drain });
  app.get("/v1/things", (c) => c.json({ ok: true }));
  app.post("/v1/things", () => {
    throw new ApiError("rate_limited", "Slow down.", { retryAfterS: 3 });
  });
  app.post("/v1/others", (c) => c.json({}));
  app.get("/v1/things/*", () => {
    throw new Error("secret detail");
  });
  return { app, drain };
}

describe("an app", () => {
  test("keeps a client's request id, and makes one otherwise", async () => {
    const { app } = example();
    const kept = await app.request("/v1/things", { headers: { "x-request-id": "mine-1" } });
    expect(kept.headers.get("x-request-id")).toBe("mine-1");
    const odd = await app.request("/v1/things", { headers: { "x-request-id": "a b" } });
    expect(odd.headers.get("x-request-id")).toMatch(/^req_[0-9a-f-]{36}$/);
  });

  test("turns a thrown ApiError into its response", async () => {
    const response = await example().app.request("/v1/things", { method: "POST" });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(response.headers.get("x-should-retry")).toBe("true");
    expect(await response.json()).toEqual({
      error: { message: "Slow down.", type: "rate_limit_error", code: "rate_limited", param: null },
    });
  });

  test("tells nothing of an unexpected error", async () => {
    const response = await example().app.request("/v1/things/1");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
  });

  test("answers unknown routes 404, wrong methods 405 with Allow, and OPTIONS, HEAD", async () => {
    const { app } = example();
    expect((await app.request("/v2")).status).toBe(404);
    const wrong = await app.request("/v1/things", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, POST, OPTIONS"]);
    const options = await app.request("/v1/things", { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([
      204,
      "GET, HEAD, POST, OPTIONS",
    ]);
    const head = await app.request("/v1/things", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("allows no method that a route covers but does not take", async () => {
    const { app } = example();
    app.get("/all", (c) => c.text("all"));
    app.delete("/all/*", (c) => (c.req.path === "/all" ? c.notFound() : c.text("gone")));
    app.post("/all/*", (c, next) => (c.req.path.endsWith("/do") ? c.text("done") : next()));
    const told = async (method: string, path: string) => {
      const { status, headers } = await app.request(path, { method });
      return [status, headers.get("allow")];
    };
    expect(await told("DELETE", "/all")).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(await told("POST", "/all/one")).toEqual([405, "DELETE, OPTIONS"]);
    expect(await told("POST", "/all/one/do")).toEqual([200, null]);
  });

  test.each([
    ["/v1/v1/things", "/v1/things"],
    ["/things", "/v1/things"],
    ["//v1/things", "/v1/things"],
    ["/v1/others/", "/v1/others"],
    ["/proxy/v1/things", "/v1/things"],
    ["/v1/nothings", undefined],
    ["/v2", undefined],
    ["/", undefined],
  ])("names the route that was meant by %s", async (path, meant) => {
    const response = await example().app.request(`http://x${path}`, { method: "PUT" });
    const { error } = (await response.json()) as { error: { message: string } };
    const advice =
      meant === undefined
        ? "See GET /v1/models for what is served here."
        : `Did you mean ${meant}? Look at your client's base URL.`;
    expect(error.message).toBe(`Unknown route: PUT ${path}. ${advice}`);
  });

  test("repeats no more than the beginning of a long path", async () => {
    const response = await example().app.request(`/${"x".repeat(5000)}`);
    expect((await response.text()).length).toBeLessThan(500);
  });

  test("speaks Anthropic's way of errors under /v1/messages", async () => {
    const response = await example().app.request("/v1/messages/batches", {
      headers: { "x-request-id": "r1" },
    });
    expect(await response.json()).toEqual({
      type: "error",
      error: { type: "not_found_error", message: expect.stringContaining("Unknown route") },
      request_id: "r1",
    });
  });

  test("refuses work while draining", async () => {
    const { app, drain } = example();
    await drain.close(1);
    const response = await app.request("/v1/things");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });
});

test("listen serves HTTP/1.0 probes that send no Host", async () => {
  const listener = listen(example().app, { host: "127.0.0.1", port: 0 });
  const client = await rawClient(listener.url);
  client.send("GET /v1/things HTTP/1.0\r\n\r\n");
  expect(await client.closed).toContain('{"ok":true}');
  await listener.stop(true);
});
