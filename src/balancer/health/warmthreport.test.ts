import { describe, expect, test } from "bun:test";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { readModelList } from "./modellist.ts";
import { askWarmth } from "./warmthreport.ts";

/** What is understood of a server of a kind that answers these paths with JSON. */
async function asked(kind: EndpointKind | null, answers: Record<string, unknown>) {
  using server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: ({ url }) => {
      const answer = answers[new URL(url).pathname];
      return answer === undefined ? new Response("no", { status: 404 }) : Response.json(answer);
    },
  });
  const endpoint = new Endpoint({ name: "e", url: server.url.origin, kind });
  const listed = await readModelList({ json: answers["/v1/models"] ?? [] });
  if (listed === undefined) throw new Error("no list");
  const options = { timeoutMs: 2000, signal: new AbortController().signal };
  const report = await askWarmth(endpoint, { listed, system: undefined }, options);
  return report && [...report.models].map(([name, { state }]) => `${name} ${state}`);
}

describe("what is loaded is known of", () => {
  test("Ollama", async () => {
    const running = { models: [{ name: "a:latest", model: "a:latest", size: 7 }] };
    expect(await asked("ollama", { "/api/ps": running })).toEqual(["a:latest loaded"]);
    expect(await asked("ollama", { "/api/ps": { models: [] } })).toEqual([]);
  });

  test("LM Studio, in both versions of its API", async () => {
    const models = [
      { key: "a", loaded_instances: [{ id: "a" }, { id: "a:2" }] },
      { key: "b", loaded_instances: [] },
    ];
    const v1 = await asked("lm_studio", { "/api/v1/models": { models } });
    expect(v1).toEqual(["a loaded", "a:2 loaded"]);
    const data = [
      { id: "a", state: "loaded" },
      { id: "b", state: "not-loaded" },
    ];
    expect(await asked("lm_studio", { "/api/v0/models": { data } })).toEqual(["a loaded"]);
  });

  test("llama-server with several models, by its list", async () => {
    const words = ["loaded", "unloaded", "loading", "sleeping"];
    const data = words.map((value) => ({ id: value, status: { value } }));
    const failed = { id: "failed", status: { value: "unloaded", failed: true, exit_code: 1 } };
    const told = await asked("llama_server", { "/v1/models": { data: [...data, failed] } });
    expect(told).toEqual([
      ...["loaded loaded", "unloaded cold", "loading loading", "sleeping cold", "failed failed"],
    ]);
  });

  test("llama-swap, which its list names as the owner", async () => {
    const running = [
      { model: "a", state: "ready" },
      { model: "b", state: "starting" },
      { model: "c", state: "stopping" },
    ];
    const list = { data: ["a", "b", "c"].map((id) => ({ id, owned_by: "llama-swap" })) };
    const answers = { "/v1/models": list, "/running": { running } };
    expect(await asked("openai_compatible", answers)).toEqual(["a loaded", "b loading"]);
  });
});

test.each<EndpointKind>(["vllm", "openai_compatible", "llama_server", "ollama"])(
  "%s that says nothing of it has all its models loaded",
  async (kind) => {
    const list = { data: [{ id: "a", owned_by: "somebody" }] };
    expect(await asked(kind, { "/v1/models": list })).toBeUndefined();
  },
);
