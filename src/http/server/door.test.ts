import { expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import { type AppOptions, createApp } from "./app.ts";
import { Drain } from "./drain.ts";
import type { Authorise, Scope } from "./scope.ts";

function setUp(options: Partial<AppOptions> = {}) {
  const drain = new Drain();
  const app = createApp({ log: createLogger({ level: "silent" }), drain, ...options });
  const both = (name: string, handler: (c: Scope) => Promise<Response>) => {
    app.fast(`/direct/${name}`, handler);
    app.post(`/routed/${name}`, handler);
  };
  const post = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { method: "POST", headers: { ...ID, ...headers } });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: (await response.text()).replace(path, "PATH"),
      active: drain.active,
    };
  };
  return { app, drain, both, post };
}

const ID = { "x-request-id": "mine" };

test("a direct path answers as the router would: answers, refusals, bugs", async () => {
  const { both, post, app } = setUp();
  both("path", async (c) => Response.json([c.get("requestId"), c.req.raw.method]));
  both("refused", async () => {
    throw new ApiError("rate_limited", "Not now.", { retryAfterS: 3 });
  });
  both("bug", async () => {
    throw new Error("secret");
  });
  for (const name of ["path", "refused", "bug"]) {
    const direct = await post(`/direct/${name}?a=1`);
    expect(direct).toEqual(await post(`/routed/${name}?a=1`));
    expect(direct).toMatchObject({ headers: ID, active: 0 });
  }
  const odd = await app.request("/direct/path", {
    method: "POST",
    headers: { ...ID, "x-request-id": "" },
  });
  expect(odd.headers.get("x-request-id")).toMatch(/^req_[0-9a-f-]{36}$/);
  expect((await app.request("/direct/path")).status).toBe(405);
});

test("a direct request runs until its body is sent, and none begins while draining", async () => {
  const { both, post, drain } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  both("stream", async (c) => {
    c.set("sent", promise);
    return new Response("x");
  });
  for (const path of ["/direct/stream", "/routed/stream"]) await post(path);
  expect(drain.active).toBe(2);
  resolve();
  await promise;
  expect(drain.active).toBe(0);
  await drain.close(0);
  const refused = await post("/direct/stream");
  expect(refused).toEqual(await post("/routed/stream"));
  expect(refused.status).toBe(503);
});

test("a request of which nothing comes is answered when draining is over", async () => {
  const { both, post, drain } = setUp();
  both("stuck", () => new Promise<Response>(() => undefined));
  const answers = [post("/direct/stuck"), post("/routed/stuck")];
  expect(await drain.close(1)).toBe(false);
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  }
  expect(drain.active).toBe(0);
});

test("middleware that covers a direct path is not passed by", async () => {
  const { app, both, post } = setUp();
  app.use("/direct/closed/*", async () => new Response(null, { status: 401 }));
  both("closed/path", async () => new Response("in"));
  both("open", async () => new Response("in"));
  expect((await post("/direct/closed/path")).status).toBe(401);
  expect((await post("/direct/open")).body).toBe("in");
});

test("access is decided on the fast path as before the router, at once or later", async () => {
  const atOnce: Authorise = ({ req }) => {
    if (req.raw.headers.has("authorization")) return undefined;
    throw new ApiError("unauthorized", "No key.");
  };
  for (const authorise of [atOnce, async (scope: Scope) => atOnce(scope, () => [])]) {
    const { both, post, app } = setUp({ authorise });
    let answered = 0;
    both("path", async () => {
      answered += 1;
      return new Response("in");
    });
    for (const path of ["/direct/path", "/routed/path"]) {
      expect(await post(path)).toMatchObject({ status: 401, headers: ID, active: 0 });
      expect(answered).toBe(0);
      expect((await post(path, { authorization: "Bearer x" })).body).toBe("in");
      answered = 0;
    }
    expect((await app.request("/nowhere")).status).toBe(401);
  }
});
