import { type Forwarded, type ForwardOptions, forward } from "../http/proxy/forward.ts";

/** Sends a request on to a stand-in for an endpoint. */
export function send(url: string, more: Partial<ForwardOptions> = {}): Promise<Forwarded> {
  return forward({
    target: { url: `${url}/v1/x`, label: "endpoint e" },
    method: "POST",
    headers: new Headers({ "content-type": "application/json" }),
    body: new TextEncoder().encode("{}"),
    requestId: "req_1",
    dialect: "openai",
    caller: new AbortController(),
    firstByteTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    ...more,
  });
}

/** Serves `forward` and returns the outcome of the one request that is sent to it. */
export function proxy(url: string, more: Partial<ForwardOptions> = {}) {
  const sent = Promise.withResolvers<string>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      try {
        const { headers } = request;
        const forwarded = await send(url, { caller: request, headers, ...more });
        forwarded.sent.then(sent.resolve);
        return forwarded.response;
      } catch (error) {
        sent.resolve(String(error));
        return new Response(null, { status: 500 });
      }
    },
  });
  return { url: server.url.href, sent: sent.promise, stop: () => server.stop(true) };
}

/** A request that is written to the socket of such a server. */
export const REQUEST = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
