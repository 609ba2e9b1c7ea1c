import { describe, expect, test } from "bun:test";
import { ruleOf } from "../../auth/accesstable.ts";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { ApiError } from "../../wire/error.ts";
import { isForOperators } from "../../wire/route.ts";
import { Origins } from "./origin.ts";

const LOCAL = "http://localhost:5173";
const EVIL = "https://evil.example";
/** Public, and for everybody. */
const PROBES = ["/", "/health", "/ready", "/api/version"];
const EXTENSION = "chrome-extension://abcdefgh";

function told(allowed: string[], origin: string | undefined): string | null {
  const response = new Response();
  const request = new Request("http://x/", { headers: origin === undefined ? {} : { origin } });
  new Origins(allowed).tell(request, response);
  return response.headers.get("access-control-allow-origin");
}

describe("a page may use the server", () => {
  test.each<[string[], string]>([
    [["local"], LOCAL],
    [["local"], "https://127.0.0.1"],
    [["local"], "http://[::1]:3000"],
    [["local"], "http://app.localhost"],
    [["https://chat.example"], "https://chat.example"],
    [["*"], "null"],
    [["tauri://localhost"], "tauri://localhost"],
  ])("of %j: %s", (allowed, origin) => expect(told(allowed, origin)).toBe(origin));

  test.each<[string[], string | undefined]>([
    [[], LOCAL],
    [["local"], "https://evil.example"],
    [["local"], "http://localhost.evil.example"],
    [["local"], "http://127.evil.example"],
    [["local"], "null"],
    [["https://chat.example"], "http://chat.example"],
    [["https://chat.example"], LOCAL],
    [["*"], undefined],
  ])("not of %j: %s", (allowed, origin) => expect(told(allowed, origin)).toBeNull());
});

test("preflights, answers, streams and errors bear the headers", async () => {
  const SSE = { headers: { "content-type": "text/event-stream" } };
  using a = fakeEndpoint(["m"], () => new Response("data: [DONE]\n\n", SSE));
  await using front = await fakeBalancer({ a: a.url });
  const chat = `${front.url}/v1/chat/completions`;
  const preflight = await fetch(chat, {
    method: "OPTIONS",
    headers: {
      origin: LOCAL,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
      "access-control-request-private-network": "true",
    },
  });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    "access-control-allow-origin": LOCAL,
    "access-control-allow-methods": expect.stringContaining("POST"),
    "access-control-allow-headers": "authorization,content-type",
    "access-control-allow-private-network": "true",
    vary: "origin",
  });
  const headers = { origin: LOCAL, "content-type": "application/json" };
  const body = (model: string) => JSON.stringify({ model, stream: true, messages: [] });
  const answers = await Promise.all([
    fetch(chat, { method: "POST", headers, body: body("m") }),
    fetch(chat, { method: "POST", headers, body: body("none") }),
    fetch(`${front.url}/v1/models`, { headers }),
    fetch(`${front.url}/v2`, { headers }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 404]);
  for (const answer of answers) {
    expect(answer.headers.get("access-control-allow-origin")).toBe(LOCAL);
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(answer.headers.get("vary")).toBe("origin");
    await answer.text();
  }
  const foreign = await fetch(chat, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example" },
  });
  expect(foreign.headers.has("access-control-allow-origin")).toBe(false);
});

describe("what is sent in a page's name", () => {
  const HERE = "http://llm.example:8080";
  const status = (headers: Record<string, string>, method = "POST", allowed = ["local"]) => {
    const request = new Request(`${HERE}/`, { method, headers: { host: "llm.example:8080" } });
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    try {
      new Origins(allowed).require(request);
      return 200;
    } catch (error) {
      return error instanceof ApiError ? error.status : 500;
    }
  };

  test.each<[string, Record<string, string>]>([
    ["a program", {}],
    ["a page of this machine", { origin: LOCAL, "sec-fetch-site": "cross-site" }],
    ["a page of this server", { origin: HERE }],
    ["one behind a proxy that ends TLS", { origin: "https://llm.example:8080" }],
    ["one behind a proxy that changes the host", { origin: EVIL, "sec-fetch-site": "same-origin" }],
  ])("goes on: %s", (_, headers) => expect(status(headers)).toBe(200));

  test.each<[string, Record<string, string>]>([
    ["another site", { origin: EVIL }],
    ["another port", { origin: "http://llm.example" }],
    ["a file, a frame without origin", { origin: "null" }],
    ["another site without origin", { "sec-fetch-site": "cross-site" }],
    ["a sister of the site", { "sec-fetch-site": "same-site" }],
    ["an extension", { origin: EXTENSION, "sec-fetch-site": "cross-site" }],
    ["no origin at all", { origin: "" }],
  ])("is refused: %s", (_, headers) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expect([method, status(headers, method)]).toEqual([method, 403]);
    }
    for (const method of ["GET", "HEAD", "OPTIONS"]) expect(status(headers, method)).toBe(200);
  });

  test("goes on if the operator says so, for one, for a scheme, for all", () => {
    expect(status({ origin: EXTENSION }, "POST", ["chrome-extension://*"])).toBe(200);
    expect(status({ origin: EVIL }, "POST", ["chrome-extension://*"])).toBe(403);
    expect(status({ origin: EVIL }, "POST", [EVIL])).toBe(200);
    expect(status({ origin: "null" }, "POST", ["*"])).toBe(200);
  });
});

describe("management", () => {
  const MANAGEMENT = ["/api/endpoints", "/v0/users", "/%61pi/auth/login", "/metrics", "/api/pull"];

  test.each(["local", "*", LOCAL])(
    "takes no page of another origin, though %s is allowed",
    (one) => {
      for (const path of MANAGEMENT) {
        const request = new Request(`http://llm.example${path}`, {
          method: "POST",
          headers: { origin: LOCAL },
        });
        const origins = new Origins([one]);
        const routed = decodeURI(path);
        expect(() => origins.require(request, routed)).toThrow("manage this llmlb");
        const response = new Response();
        origins.tell(request, response, routed);
        expect([...response.headers]).toEqual([]);
      }
    },
  );

  test("is every route that is for operators, and none that is for clients", async () => {
    await using front = await fakeBalancer({});
    for (const { method, path } of front.balancer.app.routes) {
      const rule = ruleOf(`${method} ${path}`);
      if (rule === undefined) continue;
      const isOfClients = String(rule).startsWith("openai.") || PROBES.includes(path);
      expect([method, path, isForOperators(path)]).toEqual([method, path, !isOfClients]);
    }
  });

  test("is told to no page of another origin, and cookies never travel from there", async () => {
    await using front = await fakeBalancer({}, { allowedOrigins: ["*"] });
    const page = { origin: LOCAL, cookie: "llmlb_session=ses_x" };
    const preflight = {
      ...{ ...page, "access-control-request-method": "POST" },
      "access-control-request-headers": "x-csrf-token",
    };
    for (const path of [...MANAGEMENT, "/v1/models", "/v1/chat/completions", "/api/chat"]) {
      for (const [method, headers] of [
        ["OPTIONS", preflight],
        ["GET", page],
      ] as const) {
        const answer = await fetch(front.url + path, { method, headers });
        expect(answer.headers.has("access-control-allow-credentials")).toBeFalse();
        const isOpen = answer.headers.has("access-control-allow-origin");
        expect([path, method, isOpen]).toEqual([path, method, !MANAGEMENT.includes(path)]);
      }
    }
    const add = (origin: string) =>
      fetch(`${front.url}/%61pi/endpoints`, {
        method: "POST",
        headers: { origin, "content-type": "application/json" },
        body: "{}",
      });
    expect((await add(LOCAL)).status).toBe(403);
    expect((await add(front.url)).status).toBe(400);
  });
});
