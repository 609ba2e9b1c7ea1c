import { afterEach, expect, test } from "bun:test";
import { isCapable } from "../upstream/capability.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { addDetails } from "./modeldetail.ts";
import { readModelList } from "./modellist.ts";

const OPTIONS = { timeoutMs: 2000, signal: new AbortController().signal };

let server: Bun.Server<undefined> | undefined;
afterEach(() => server?.stop(true));

/** An endpoint of this kind that answers as these routes say. */
function endpoint(
  kind: "ollama" | "lm_studio" | "vllm",
  routes: Record<string, (body: { model?: string }) => object | undefined>,
): Endpoint {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = request.method === "POST" ? ((await request.json()) as object) : {};
      const answer = routes[new URL(request.url).pathname]?.(body);
      return answer === undefined ? new Response("no", { status: 404 }) : Response.json(answer);
    },
  });
  return new Endpoint({ name: "e", url: server.url.href, kind });
}

/** The models that an endpoint lists, with details; then it has them. */
async function learn(endpoint: Endpoint, ids: string[], created = 1) {
  const listed = await readModelList({ json: { data: ids.map((id) => ({ id, created })) } });
  endpoint.models = await addDetails(endpoint, listed?.models ?? new Map(), OPTIONS);
  const capabilities = ["chat", "vision", "embeddings"] as const;
  return Object.fromEntries(
    ids.map((id) => [id, capabilities.filter((one) => isCapable(endpoint, id, one)).join()]),
  );
}

test("Ollama is asked once about each model, and again when it is another one", async () => {
  const queried: unknown[] = [];
  const capabilities: Record<string, string[]> = {
    text: ["completion", "tools"],
    sees: ["completion", "vision"],
    embeds: ["embedding"],
  };
  const ollama = endpoint("ollama", {
    "/api/show": ({ model = "" }) => {
      queried.push(model);
      return model === "old" ? { details: {} } : { capabilities: capabilities[model] };
    },
  });
  const expected = {
    text: "chat,embeddings",
    sees: "chat,vision,embeddings",
    embeds: "embeddings",
  };
  const ids = ["text", "sees", "embeds"];
  expect(await learn(ollama, ids)).toEqual(expected);
  expect(await learn(ollama, ids)).toEqual(expected);
  expect(queried.toSorted()).toEqual(ids.toSorted());
  expect(await learn(ollama, [...ids, "old"])).toEqual({
    ...{ ...expected, old: "chat,vision,embeddings" },
  });
  await learn(ollama, ["old"]);
  expect(queried.filter((model) => model === "old")).toHaveLength(1);
  queried.length = 0;
  capabilities.text = ["completion", "vision"];
  expect(await learn(ollama, ["text"], 2)).toEqual({ text: "chat,vision,embeddings" });
  expect(queried).toEqual(["text"]);
});

test("an Ollama that does not answer, or says nonsense, is taken by the names", async () => {
  expect(await learn(endpoint("ollama", {}), ["a", "nomic-embed"])).toEqual({
    ...{ a: "chat,vision,embeddings", "nomic-embed": "embeddings" },
  });
  const odd = endpoint("ollama", { "/api/show": () => ({ capabilities: 7 }) });
  expect(await learn(odd, ["a"])).toEqual({ a: "chat,vision,embeddings" });
});

test("LM Studio declares them in a list of its own, as version 1 or as version 0", async () => {
  const ids = ["text", "sees", "embeds", "loaded:2", "other"];
  const expected = {
    ...{ text: "chat,embeddings", sees: "chat,vision,embeddings", embeds: "embeddings" },
    other: "chat,vision,embeddings",
  };
  const now = endpoint("lm_studio", {
    "/api/v1/models": () => ({
      models: [
        {
          ...{ key: "text", type: "llm", capabilities: { vision: false } },
          loaded_instances: [{ id: "loaded:2" }],
        },
        { key: "sees", type: "llm", capabilities: { vision: true, trained_for_tool_use: true } },
        { key: "embeds", type: "embedding" },
        { key: 7 },
      ],
    }),
  });
  expect(await learn(now, ids)).toEqual({ ...expected, "loaded:2": "chat,embeddings" });
  server?.stop(true);
  const before = endpoint("lm_studio", {
    "/api/v0/models": () => ({
      data: [
        { id: "text", type: "llm" },
        { id: "sees", type: "vlm" },
        { id: "embeds", type: "embeddings" },
      ],
    }),
  });
  expect(await learn(before, ids)).toEqual({ ...expected, "loaded:2": "chat,vision,embeddings" });
});

test("others are not asked", async () => {
  const vllm = endpoint("vllm", {});
  const { models: listed = new Map() } = (await readModelList({ json: ["a"] })) ?? {};
  expect(await addDetails(vllm, listed, OPTIONS)).toBe(listed);
});
