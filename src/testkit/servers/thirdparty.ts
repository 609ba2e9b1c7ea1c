/** Stand-ins for Ollama, vLLM, SGLang, LM Studio, llama-server and unknown servers. */

export interface ThirdPartyServer extends Disposable {
  url: string;
  /** What it lists; may be changed. */
  models: string[];
  /** How it misbehaves; may be changed. */
  fault: "none" | "500" | "html" | "hang";
  /** The latest `authorization` headers that came, at most 100. */
  keys: string[];
}

type Answers = (path: string, models: string[]) => Response | undefined;

const json = (body: object, headers: Record<string, string> = {}) =>
  Response.json(body, { headers });

const openai =
  (owner: string, more: object = {}) =>
  (models: string[]) => ({
    object: "list",
    data: models.map((id) => ({
      id,
      object: "model",
      created: 1_700_000_000,
      owned_by: owner,
      ...more,
    })),
  });

const ANSWERS = {
  ollama: (path, models) => {
    const tags = models.map((name) => ({ name, model: name, size: 1, digest: "d" }));
    if (path === "/") return new Response("Ollama is running");
    if (path === "/api/version") return json({ version: "0.9.0" });
    if (path === "/api/tags") return json({ models: tags });
    return path === "/v1/models" ? json(openai("library")(models)) : undefined;
  },
  vllm: (path, models) => {
    if (path === "/version") return json({ version: "0.10.1" });
    if (path !== "/v1/models") return undefined;
    return json(openai("vllm", { max_model_len: 4096 })(models), { server: "uvicorn" });
  },
  sglang: (path, models) => {
    if (path === "/get_model_info") return json({ model_path: models[0], is_generation: true });
    if (path !== "/v1/models") return undefined;
    return json(openai("sglang", { max_model_len: 4096 })(models), { server: "uvicorn" });
  },
  lm_studio: (path, models) => {
    if (path === "/v1/models") return json(openai("organization_owner")(models));
    if (path !== "/api/v1/models") return json({ error: `Unexpected endpoint or method. ${path}` });
    return json({ models: models.map((key) => ({ type: "llm", publisher: "p", key })) });
  },
  llama_server: (path, models) => {
    const headers = { server: "llama.cpp" };
    if (path === "/props")
      return json({ default_generation_settings: {}, total_slots: 4 }, headers);
    if (path === "/api/tags") return json({ models: models.map((name) => ({ name })) }, headers);
    if (path !== "/v1/models") return undefined;
    return json(openai("llamacpp", { meta: { n_ctx_train: 8192 } })(models), headers);
  },
  openai_compatible: (path, models) =>
    path === "/v1/models" ? json(openai("somebody")(models)) : undefined,
} satisfies Record<string, Answers>;

export type ThirdPartyKind = keyof typeof ANSWERS;

/** Starts such a server on a free port, or on the one given. */
export function thirdPartyServer(
  kind: ThirdPartyKind,
  models: string[],
  port = 0,
): ThirdPartyServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      self.keys = [...self.keys, request.headers.get("authorization") ?? ""].slice(-100);
      if (self.fault === "500") return new Response("broken", { status: 500 });
      if (self.fault === "html") return new Response("<html>", { headers: HTML });
      if (self.fault === "hang") await new Promise(() => undefined);
      if (request.method === "POST") return json({ choices: [{ message: { content: kind } }] });
      const answers: Answers = ANSWERS[kind];
      const { pathname } = new URL(request.url);
      return answers(pathname, self.models) ?? new Response("404", { status: 404 });
    },
  });
  const self: ThirdPartyServer = {
    url: `http://127.0.0.1:${server.port}`,
    models,
    fault: "none",
    keys: [],
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

const HTML = { "content-type": "text/html" };
