/**
 * A server that behaves as OpenAI's API does, as far as a balancer needs it of a cloud: chat
 * completions (streamed or not), embeddings, models, and a wrong key, quota or model.
 * It follows https://platform.openai.com/docs/api-reference and /docs/guides/error-codes.
 */
export interface OpenaiServer extends Disposable {
  /** Base URL without `/v1`. */
  url: string;
  /** The one key that it takes. */
  key: string;
  /** Bodies of what it was asked, and by which path. */
  requests: { path: string; body: Record<string, unknown> }[];
  /** How many lists of models it gave. */
  lists: number;
  /** How it misbehaves; may be changed. */
  fault: "none" | "quota" | "key" | "500";
}

const MODELS = ["gpt-4o", "text-embedding-3-small", "tts-1"];

function failure(status: number, type: string, code: string | null, message: string): Response {
  return Response.json({ error: { message, type, param: null, code } }, { status });
}

/** Starts it on a free port; `limit` is the name of its field for the most tokens of an answer. */
export function openaiServer(key = "openai-key", limit = "max_completion_tokens"): OpenaiServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      const isKey = request.headers.get("authorization") === `Bearer ${self.key}`;
      if (!isKey || self.fault === "key") {
        const message = `Incorrect API key provided: ${self.key}.`;
        return failure(401, "invalid_request_error", "invalid_api_key", message);
      }
      if (self.fault === "500")
        return failure(500, "server_error", null, "The server had an error.");
      if (path === "/v1/models") {
        self.lists += 1;
        return Response.json({ object: "list", data: MODELS.map(entry) });
      }
      if (self.fault === "quota") {
        const message = "You exceeded your current quota, please check your plan.";
        return failure(429, "insufficient_quota", "insufficient_quota", message);
      }
      const body = (await request.json()) as Record<string, unknown>;
      self.requests.push({ path, body });
      if (!MODELS.includes(String(body.model))) {
        const message = `The model \`${body.model}\` does not exist.`;
        return failure(404, "invalid_request_error", "model_not_found", message);
      }
      const unknown = unknownField(path, body, limit);
      if (unknown !== undefined) {
        const message = `Unrecognized request argument supplied: ${unknown}`;
        return failure(400, "invalid_request_error", null, message);
      }
      return answer(path, body);
    },
  });
  const self: OpenaiServer = {
    url: `http://127.0.0.1:${server.port}`,
    key,
    requests: [],
    lists: 0,
    fault: "none",
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

const KNOWN: Record<string, string[]> = {
  "/v1/embeddings": ["model", "input", "dimensions", "encoding_format", "user"],
  "/v1/chat/completions": [
    ...["model", "messages", "metadata", "n", "parallel_tool_calls", "reasoning_effort"],
    ...["response_format", "seed", "stop", "stream", "stream_options", "temperature", "user"],
    ...["tool_choice", "tools", "top_p"],
  ],
};

/** The first field that OpenAI's reference does not have. The real server refuses it, too. */
function unknownField(path: string, body: object, limit: string): string | undefined {
  const known = KNOWN[path];
  if (known === undefined) return undefined;
  return Object.keys(body).find((name) => name !== limit && !known.includes(name));
}

function entry(id: string) {
  return { id, object: "model", created: 1_715_367_049, owned_by: "system" };
}

function answer(path: string, body: Record<string, unknown>): Response {
  if (path === "/v1/embeddings") {
    const data = [{ object: "embedding", index: 0, embedding: [0.5, -0.5] }];
    const usage = { prompt_tokens: 2, total_tokens: 2 };
    return Response.json({ object: "list", data, model: body.model, usage });
  }
  if (path !== "/v1/chat/completions") {
    return failure(404, "invalid_request_error", null, `Invalid URL (POST ${path})`);
  }
  const messages = body.messages as { content: string }[];
  const content = `echo: ${messages.at(-1)?.content}`;
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
  const head = { id: "chatcmpl-1", created: 1_715_367_049, model: `${body.model}-2024-08-06` };
  if (body.stream !== true) {
    const message = { role: "assistant", content, refusal: null };
    const choices = [{ index: 0, message, finish_reason: "stop", logprobs: null }];
    return Response.json({ ...head, object: "chat.completion", choices, usage });
  }
  const asked = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage;
  const chunk = (delta: object, finish: string | null) => ({
    ...{ ...head, object: "chat.completion.chunk" },
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...(asked ? { usage: null } : {}),
  });
  const events: object[] = [
    chunk({ role: "assistant", content: "" }, null),
    ...content.split(/(?<= )/).map((piece) => chunk({ content: piece }, null)),
    chunk({}, "stop"),
  ];
  if (asked) events.push({ ...head, object: "chat.completion.chunk", choices: [], usage });
  const text = [...events.map((event) => JSON.stringify(event)), "[DONE]"];
  const headers = { "content-type": "text/event-stream" };
  return new Response(text.map((data) => `data: ${data}\n\n`).join(""), { headers });
}
