import { expect, test } from "bun:test";
import type { EndpointKind } from "../../../wire/endpoint.ts";
import { RESIDENCY_ACTIONS } from "../../../wire/residency.ts";
import { Endpoint } from "../../upstream/endpoint.ts";
import { changeAt, residencyRequest } from "./call.ts";

const endpointOf = (kind: EndpointKind | null, url = "http://127.0.0.1:9") =>
  new Endpoint({ name: "e", url, kind });
const asked = (endpoint: Endpoint, keepAlive?: string) =>
  RESIDENCY_ACTIONS.map((action) => {
    const request = residencyRequest(endpoint, "m", { action, model: "m", keepAlive });
    return request && [request.path, (request.body as Record<string, unknown>).keep_alive];
  });

test("nodes, Ollama and llama-server are asked in their own terms, others not at all", () => {
  expect(asked(endpointOf("llmlb"), "5m")).toEqual(
    RESIDENCY_ACTIONS.map((action) => [`/api/models/${action}`, "5m"]),
  );
  expect(asked(endpointOf("ollama"))).toEqual(
    [undefined, 0, -1, "5m"].map((keepAlive) => ["/api/generate", keepAlive]),
  );
  const router = endpointOf("llama_server");
  expect(asked(router)).toEqual([undefined, undefined, undefined, undefined]);
  router.warmth.apply({ models: new Map() }, { askedAtMs: 0, nowMs: 0 });
  expect(asked(router).slice(0, 2).flat()).toEqual([
    ...["/models/load", undefined, "/models/unload", undefined],
  ]);
  expect(asked(endpointOf("vllm"))).toEqual([undefined, undefined, undefined, undefined]);
});

test("only nodes are asked to load a model with settings", () => {
  const change = { action: "load", model: "m", keepAlive: undefined } as const;
  const settings = { ctx_size: 512 };
  const request = (kind: EndpointKind) =>
    residencyRequest(endpointOf(kind), "m", { ...change, settings });
  expect(request("llmlb")?.body).toEqual({ model: "m", settings });
  expect([request("ollama"), request("llama_server")]).toEqual([undefined, undefined]);
});

test("a load counts as begun while it runs, and as done or failed when it is", async () => {
  const gate = Promise.withResolvers<Response>();
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => gate.promise });
  const endpoint = endpointOf("ollama", server.url.origin);
  endpoint.warmth.apply({ models: new Map() }, { askedAtMs: 0, nowMs: 0 });
  const { signal } = new AbortController();
  const change = { action: "load", model: "m", keepAlive: undefined } as const;
  const loading = changeAt(endpoint, change, signal);
  expect(endpoint.warmth.stateOf("m")).toBe("loading");
  gate.resolve(Response.json({ done: true }));
  expect(await loading).toBeUndefined();
  expect(endpoint.warmth.stateOf("m")).toBe("loaded");

  server.reload({ fetch: () => Response.json({ error: "no memory" }, { status: 500 }) });
  const failed = await changeAt(endpoint, { ...change, model: "n" }, signal);
  expect(failed).toEqual({ message: "no memory", isRefusal: false });
  expect(endpoint.warmth.stateOf("n")).toBe("cold");
});
