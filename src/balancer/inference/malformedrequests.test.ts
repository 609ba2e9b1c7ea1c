import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { type FakeEndpoint, fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { rawChunk, rawClient } from "../../testkit/servers/tcp.ts";
import { ROUTE_LIST } from "../../wire/route.ts";

const LIMIT = 64 * 1024;

interface Malformed {
  name: string;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  status: number;
}

/** What is wrong with a body, and the status it gets on every inference route. */
const BODIES: [name: string, body: string | Uint8Array<ArrayBuffer>, status: number][] = [
  ["empty", "", 400],
  ["white space", " \n", 400],
  ["cut", '{"model":"m","messages":[', 400],
  ["two values", '{"model":"m"}{"model":"m"}', 400],
  ["trailing comma", '{"model":"m",}', 400],
  ["single quotes", "{'model':'m'}", 400],
  ["bare words", "{model:m}", 400],
  ["NaN", '{"model":"m","temperature":NaN}', 400],
  ["control character", '{"model":"m\n"}', 400],
  ["lone escape", '{"model":"\\x"}', 400],
  ["an array", "[]", 400],
  ["null", "null", 400],
  ["a number", "42", 400],
  ["a string", '"m"', 400],
  ["no model", "{}", 400],
  ["model null", '{"model":null}', 400],
  ["model a number", '{"model":1}', 400],
  ["model an object", '{"model":{"id":"m"}}', 400],
  ["model a list", '{"model":["m"]}', 400],
  ["model empty", '{"model":""}', 400],
  ["stream a string", '{"model":"m","stream":"true"}', 400],
  ["stream a number", '{"model":"m","stream":1}', 400],
  ["model twice", '{"model":"m","model":"n"}', 400],
  ["stream twice", '{"model":"m","stream":true,"stream":false}', 400],
  ["model twice, escaped", '{"model":"m","\\u006dodel":"n"}', 400],
  ["model as __proto__", '{"__proto__":{"model":"m"}}', 400],
  ["model as constructor", '{"constructor":{"prototype":{"model":"m"}}}', 400],
  ["deep list", `{"model":"m","x":${"[".repeat(5000)}${"]".repeat(5000)}}`, 400],
  ["deep objects", `{"model":"m","x":${'{"a":'.repeat(200)}1${"}".repeat(200)}}`, 400],
  ["unclosed depth", "[".repeat(20_000), 400],
  ["too large", `{"model":"m","x":"${"y".repeat(LIMIT)}"}`, 413],
  ["UTF-16", new Uint8Array(Buffer.from('{"model":"m"}', "utf16le")), 400],
  ["Latin-1", new Uint8Array(Buffer.from('{"model":"é"}', "latin1")), 400],
  ["overlong UTF-8", new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), 400],
  ["zeros", new Uint8Array(64), 400],
  ["gzip bytes", Bun.gzipSync('{"model":"m"}'), 400],
  ["unknown model", '{"model":"nope"}', 404],
  ["model name of a property", '{"model":"__proto__"}', 404],
  ["model with a zero", '{"model":"m\\u0000"}', 404],
];

const TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a", ";"];

const PATHS = [
  "/v1",
  "/v1/",
  "/v1//models",
  "/V1/models",
  "/v2/chat/completions",
  "/v1/chat",
  "/v1/chat/completions/",
  "/v1/chat/completions/x",
  "/v1/engines",
  "/v1/files",
  "/v1/%63hat/%zz",
  "/%",
  "/%E0%A4%A",
  "/%2e%2e/etc/passwd",
  "/v1/models/%",
  "/v1/models/%ff%fe",
  "/v1/models/%00",
  "/v1/models/../../etc",
  "/v1/models/a/b/c/d/e",
  "/v1/models/",
  `/v1/models/${"x".repeat(4000)}`,
  "/constructor",
  "/__proto__",
  "/v1/models?x=%zz#/v1/y".replace("models", "nothing"),
];

/** Requests for embeddings need no model: there is a default, which is not served here. */
const MODELLESS = new Set([
  ...["no model", "model null", "model empty", "model as __proto__", "model as constructor"],
]);

function malformed(): Malformed[] {
  const cases: Malformed[] = [];
  for (const { path } of ROUTE_LIST.filter((one) => one.onNodes && one.form === undefined)) {
    for (const [name, body, status] of BODIES) {
      const isDefaulted = path === "/v1/embeddings" && MODELLESS.has(name);
      cases.push({ name: `${name} on ${path}`, path, body, status: isDefaulted ? 404 : status });
    }
    for (const type of TYPES) {
      const headers = { "content-type": type };
      cases.push({ name: `${type} on ${path}`, path, headers, body: '{"model":"m"}', status: 415 });
    }
    const utf16 = { "content-type": "application/json; charset=utf-16" };
    cases.push({ name: `UTF-16 on ${path}`, path, headers: utf16, body: "{}", status: 415 });
    const gzip = { "content-encoding": "gzip" };
    cases.push({ name: `gzip on ${path}`, path, headers: gzip, body: "{}", status: 415 });
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
      cases.push({ name: `${method} ${path}`, method, path, status: 405 });
    }
  }
  for (const path of PATHS)
    cases.push({ name: path.slice(0, 40), method: "GET", path, status: 404 });
  for (const path of ["/v1/models", "/v1/models/m", "/health", "/ready"]) {
    for (const method of ["POST", "DELETE"]) {
      cases.push({ name: `${method} ${path}`, method, path, status: 405 });
    }
  }
  return cases;
}

const CASES = malformed();
let endpoint: FakeEndpoint;
let front: FakeBalancer;

beforeAll(async () => {
  endpoint = fakeEndpoint(["m"], () => Response.json({ ok: true }));
  front = await fakeBalancer({ e: endpoint.url }, { bodyLimitBytes: LIMIT });
});

afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

/** Whether a body is an error in the shape that clients of this path know. */
function isError(path: string, body: unknown): boolean {
  const { error, type } = body as { error?: Record<string, unknown>; type?: unknown };
  if (typeof error?.message !== "string" || typeof error.type !== "string") return false;
  if (path.startsWith("/v1/messages")) return type === "error";
  return typeof error.code === "string" && "param" in error;
}

describe(`${CASES.length} malformed requests`, () => {
  test("are at least 300", () => expect(CASES.length).toBeGreaterThanOrEqual(300));

  test("each get their status and an error in the API's shape", async () => {
    const wrong: string[] = [];
    for (const { name, method = "POST", path, headers, body, status } of CASES) {
      const response = await fetch(front.url + path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      const shaped = text.startsWith("{") && isError(path, JSON.parse(text));
      const identified = response.headers.get("x-request-id") !== null;
      const allowed = status !== 405 || response.headers.get("allow") !== null;
      if (response.status !== status || !shaped || !identified || !allowed) {
        wrong.push(`${name}: ${response.status} instead of ${status}: ${text.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(endpoint.requests).toEqual([]);
  });

  test("leave a server that works", async () => {
    expect((await front.post("/v1/chat/completions", { model: "m" })).status).toBe(200);
    expect((await fetch(`${front.url}/health`)).status).toBe(200);
  });
});

test("a chunked body beyond the limit is refused while it is being sent", async () => {
  const client = await rawClient(front.url);
  client.send(
    "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
  );
  for (let sent = 0; sent <= LIMIT; sent += 8192) client.send(rawChunk("x".repeat(8192)));
  const answer = await client.until("body_too_large");
  expect(answer).toStartWith("HTTP/1.1 413");
  client.reset();
});

test("a declared length beyond the limit is refused at once", async () => {
  const client = await rawClient(front.url);
  client.send(
    "POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n{",
  );
  expect(await client.closed).toContain("body_too_large");
});

test("a client that leaves in the middle of its body harms nobody", async () => {
  for (let i = 0; i < 20; i += 1) {
    const client = await rawClient(front.url);
    client.send(
      'POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{"model"',
    );
    client.reset();
    await client.closed;
  }
  expect((await fetch(`${front.url}/health`)).status).toBe(200);
});
