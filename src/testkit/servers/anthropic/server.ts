import { answerTo, countOf, messageFrames } from "./answer.ts";
import { type Json, whyInvalid } from "./rules.ts";

/**
 * A local server that behaves as Anthropic's API does, faults included, after its public
 * documentation (platform.claude.com/docs/en): api/messages, api/messages-count-tokens,
 * api/models-list, api/versioning, api/errors, api/rate-limits, build-with-claude/streaming. What
 * its model says stands in `anthropicanswer.ts`, what it refuses in `anthropicrules.ts`.
 */
export interface AnthropicServer extends Disposable {
  url: string;
  /** The only key that it takes. */
  key: string;
  /** What it lists and answers for; may be changed. */
  models: string[];
  /** What it was asked, refused requests included. */
  requests: AnthropicCall[];
  /** How it fails: each request to `/v1/messages` takes the first; those after them go well. */
  faults: AnthropicFault[];
  /** Streams that a client left before their end. */
  left: number;
}

export interface AnthropicCall {
  path: string;
  headers: Headers;
  body: Json;
}

/**
 * A status with its error; in streams: an error event in the middle (`overloaded`), a connection
 * that ends there (`cut`), or one that says nothing more (`stall`). `html`: a proxy in between.
 */
export type AnthropicFault = keyof typeof ERRORS | "overloaded" | "cut" | "stall" | "html";

/** https://platform.claude.com/docs/en/api/errors */
const ERRORS = {
  400: { type: "invalid_request_error", message: "prompt is too long: 9 tokens > 8 maximum" },
  401: { type: "authentication_error", message: "invalid x-api-key" },
  403: { type: "permission_error", message: "Your API key may not use this resource." },
  404: { type: "not_found_error", message: "Not found" },
  413: { type: "request_too_large", message: "Request exceeds the maximum size" },
  429: { type: "rate_limit_error", message: "This request would exceed your rate limit" },
  500: { type: "api_error", message: "Internal server error" },
  529: { type: "overloaded_error", message: "Overloaded" },
} as const;

const BODY_BYTES_MAX = 32 * 1024 * 1024;
const MODELS = ["claude-opus-5", "claude-sonnet-4-5-20250929", "claude-haiku-4-5"];
const OVERLOADED = { type: "error", error: ERRORS[529] };

/** Starts it on a free port. */
export function anthropicServer(key = "sk-ant-test"): AnthropicServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: 2 * BODY_BYTES_MAX,
    fetch: (request) => handle(self, request),
  });
  const self: AnthropicServer = {
    url: `http://127.0.0.1:${server.port}`,
    key,
    models: MODELS,
    requests: [],
    faults: [],
    left: 0,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

async function handle(self: AnthropicServer, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const { pathname: path } = url;
  const text = await request.text();
  const body = parsed(text);
  self.requests.push({ path, headers: request.headers, body: body ?? {} });
  if (keyOf(request.headers) !== self.key) return failure(401);
  if (!request.headers.has("anthropic-version")) {
    return failure(400, "anthropic-version: header is required");
  }
  if (request.method === "GET") return get(self, url);
  const counting = path === "/v1/messages/count_tokens";
  if (request.method !== "POST" || (path !== "/v1/messages" && !counting)) return failure(404);
  if (text.length > BODY_BYTES_MAX) return failure(413);
  if (body === undefined) return failure(400, "The request body is not valid JSON");
  const why = whyInvalid(body, counting);
  if (why !== undefined) return failure(400, why);
  if (!self.models.includes(String(body.model))) return failure(404, `model: ${body.model}`);
  if (counting) return json({ input_tokens: countOf(body) });
  return answered(self, body, self.faults.shift());
}

/** Programs send `x-api-key`; the official client has come to send the key as a bearer. */
function keyOf(headers: Headers): string | undefined {
  const bearer = headers.get("authorization")?.replace(/^Bearer /i, "");
  return headers.get("x-api-key") ?? bearer;
}

function answered(self: AnthropicServer, body: Json, fault: AnthropicFault | undefined): Response {
  if (fault === "html") return new Response("<html>Bad Gateway</html>", { status: 502 });
  if (typeof fault === "number") return failure(fault);
  const message = answerTo(body);
  if (body.stream !== true) return json(message);
  const events = messageFrames(message);
  const frames = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const headers = { ...headersOf(), "content-type": "text/event-stream; charset=utf-8" };
  return new Response(streamOf(self, frames, fault), { headers });
}

function streamOf(self: AnthropicServer, frames: string[], fault: AnthropicFault | undefined) {
  const encoder = new TextEncoder();
  const said = fault === undefined ? frames : frames.slice(0, 5);
  if (fault === "overloaded") said.push(`event: error\ndata: ${JSON.stringify(OVERLOADED)}\n\n`);
  return new ReadableStream({
    async pull(controller) {
      const frame = said.shift();
      if (frame !== undefined) controller.enqueue(encoder.encode(frame));
      else if (fault === "stall") await new Promise(() => undefined);
      else controller.close();
    },
    cancel() {
      self.left += 1;
    },
  });
}

/** https://platform.claude.com/docs/en/api/models-list */
function get(self: AnthropicServer, { pathname, searchParams: query }: URL): Response {
  const all = self.models.map(modelOf);
  if (pathname !== "/v1/models") {
    const id = decodeURIComponent(pathname.replace(/^\/v1\/models\//, ""));
    const model = all.find((other) => other.id === id);
    return model === undefined ? failure(404, `model: ${id}`) : json(model);
  }
  const limit = Number(query.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    return failure(400, "limit: Input should be between 1 and 1000");
  }
  const after = query.get("after_id");
  const from = after === null ? 0 : self.models.indexOf(after) + 1;
  const data = all.slice(from, from + limit);
  const has_more = from + limit < all.length;
  const [first_id, last_id] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
  return json({ data, has_more, first_id, last_id });
}

function modelOf(id: string) {
  const created_at = "2026-01-01T00:00:00Z";
  return { type: "model", id, display_name: id.replaceAll("-", " "), created_at };
}

function failure(status: keyof typeof ERRORS, message?: string): Response {
  const { type, message: usual } = ERRORS[status];
  const headers = headersOf();
  const error = { type, message: message ?? usual };
  const body = { type: "error", error, request_id: headers["request-id"] };
  const wait = status === 429 ? { "retry-after": "1" } : {};
  return Response.json(body, { status, headers: { ...headers, ...wait } });
}

function json(body: object): Response {
  return Response.json(body, { headers: headersOf() });
}

/** https://platform.claude.com/docs/en/api/rate-limits */
function headersOf() {
  const reset = new Date(Date.now() + 60_000).toISOString();
  const kinds = ["requests", "input-tokens", "output-tokens"].flatMap((kind) => [
    [`anthropic-ratelimit-${kind}-limit`, "1000"],
    [`anthropic-ratelimit-${kind}-remaining`, "999"],
    [`anthropic-ratelimit-${kind}-reset`, reset],
  ]);
  return {
    "request-id": `req_01${crypto.randomUUID().replaceAll("-", "").slice(0, 22)}`,
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    ...Object.fromEntries(kinds),
  };
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // answered as the API does: 400
  }
}
