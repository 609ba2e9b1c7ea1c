import { expect, test } from "bun:test";
import { routeAt } from "../../testkit/route.ts";
import { ROUTES } from "../../wire/route.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { probeRoutes } from "./routeprobe.ts";

const has = (endpoint: Endpoint, path: string) => endpoint.hasRoute(routeAt(path));

const options = { timeoutMs: 1000, signal: new AbortController().signal };

/** A server that answers each path with a status; 404 where none is given. */
function serve(statuses: Record<string, number>) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const status = statuses[new URL(request.url).pathname] ?? 404;
      return Response.json({ error: "no" }, { status });
    },
  });
}

test("an endpoint has the routes that complain about an empty request", async () => {
  await using server = serve({
    "/v1/messages": 400,
    "/v1/rerank": 422,
    "/v1/audio/transcriptions": 415,
    // Switched off, for others, not for POST, and a server that says yes to everything.
    "/v1/responses": 501,
    "/v1/images/edits": 401,
    "/v1/audio/speech": 405,
    "/v1/images/generations": 200,
    // A server that wants another key for it, and one that has no such thing (404).
    "/v1/embeddings": 401,
  });
  const endpoint = new Endpoint({ name: "a", url: server.url.origin });
  const found = await probeRoutes(endpoint, "vllm", options);
  expect([...found].map((name) => ROUTES[name].path).sort()).toEqual([
    ...["/v1/audio/transcriptions", "/v1/embeddings", "/v1/messages", "/v1/rerank"],
  ]);
  endpoint.routes = found;
  expect(has(endpoint, "/v1/messages")).toBe(true);
  expect(has(endpoint, "/v1/responses")).toBe(false);
  expect(has(endpoint, "/v1/chat/completions")).toBe(true);
});

test("one that cannot be asked speaks what its kind does", async () => {
  const endpoint = new Endpoint({ name: "a", url: "http://127.0.0.1:1", kind: "ollama" });
  const found = await probeRoutes(endpoint, "ollama", options);
  expect([...found].map((name) => ROUTES[name].path)).toContain("/api/chat");
  expect(has(endpoint, "/api/chat")).toBe(true);
  expect(has(endpoint, "/v1/messages")).toBe(false);
  expect(has(new Endpoint({ name: "b", url: "http://b", kind: "llmlb" }), "/v1/rerank")).toBe(true);
});
