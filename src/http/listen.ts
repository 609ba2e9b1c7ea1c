import type { App } from "./app.ts";
import type { Scope } from "./direct.ts";

/** A running HTTP server. */
export interface Listener {
  /** Address clients use, e.g. `http://127.0.0.1:32768`. */
  url: string;
  port: number;
  /** Closes the socket and, with `force`, the connections still open. */
  stop(force: boolean): Promise<void>;
}

export interface ListenAddress {
  host: string;
  /** 0 takes any free port. */
  port: number;
}

/** A connection without any traffic for this long is closed: kept-alive ones and slow senders. */
const IDLE_TIMEOUT_S = 120;

/**
 * Serves an app. Bodies are limited by the routes, so that the refusal has the API's shape; silent
 * answers by `forward`. Throws when the address is taken.
 */
export function listen(app: App, { host, port }: ListenAddress): Listener {
  const server = Bun.serve({
    hostname: host,
    port,
    fetch: (request, self) => app.fetch(withHost(request), { server: self }),
    idleTimeout: IDLE_TIMEOUT_S,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  });
  const bound = server.port ?? port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    stop: (force) => server.stop(force),
  };
}

/** Lets this request's connection be silent for any time, e.g. while a model is working. */
export function withoutIdleLimit(c: Scope): void {
  c.env?.server?.timeout(c.req.raw, 0);
}

/** HTTP/1.0 probes send no `Host`; Bun then gives a URL without origin, which Hono cannot read. */
function withHost(request: Request): Request {
  return request.url.startsWith("/")
    ? new Request(`http://localhost${request.url}`, request)
    : request;
}
