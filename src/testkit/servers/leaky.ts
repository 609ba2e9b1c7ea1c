/** A server that repeats what it was told in its errors, as some gateways do. */
export interface LeakyEndpoint {
  url: string;
  port: number;
  /** A model for each way of repeating it. */
  models: string[];
  stop(): void;
}

const STATUSES = [400, 401, 403, 429, 500];

/** Starts one; below any path, with and without `/v1`. */
export function leakyEndpoint(): LeakyEndpoint {
  const models = [
    ...STATUSES.map((status) => `leaky-${status}`),
    "leaky-hidden",
    "leaky-text",
    "leaky-event",
  ];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (request.method === "GET" && path.endsWith("/models")) {
        return Response.json({
          object: "list",
          data: models.map((id) => ({ id, object: "model" })),
        });
      }
      const { model = "" } = (await request.json().catch(() => ({}))) as { model?: string };
      const all = Object.fromEntries([...request.headers]);
      const told = JSON.stringify(all);
      const message = `Incorrect API key provided: ${all.authorization}. You sent ${told}`;
      const error = { error: { message, type: "invalid_request_error", code: "invalid_api_key" } };
      const status = Number(/\d+$/.exec(model)?.[0] ?? 401);
      if (model.endsWith("hidden")) return Response.json(error);
      if (model.endsWith("event")) {
        const headers = { "content-type": "text/event-stream" };
        return new Response(`data: ${JSON.stringify(error)}\n\n`, { headers });
      }
      if (model.endsWith("text")) return new Response(message, { status: 401 });
      return Response.json(error, { status });
    },
  });
  const port = server.port ?? 0;
  const url = `http://127.0.0.1:${port}`;
  return { url, port, models, stop: () => void server.stop(true) };
}
