import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { ApiError } from "../../wire/error.ts";
import { Origins } from "./origin.ts";

const LOCAL = "http://localhost:5173";
const EVIL = "https://evil.example";
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
