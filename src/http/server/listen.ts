import type { App } from "./app.ts";
import type { Connections, Scope } from "./scope.ts";

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
  /**
   * A connection without any traffic for this long is closed: kept-alive ones and slow senders.
   * Default 120.
   */
  idleTimeoutS?: number;
}

/**
 * Serves an app. Bodies are limited by the routes, so that the refusal has the API's shape; silent
 * answers by `forward`. Throws when the address is taken.
 */
export function listen(app: App, { host, port, idleTimeoutS = 120 }: ListenAddress): Listener {
  const server = Bun.serve({
    hostname: host,
    port,
    fetch: (request, self) =>
      request.url.startsWith("/")
        ? answerWithoutHost(app, request, self)
        : app.fetch(request, { server: self }),
    idleTimeout: idleTimeoutS,
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

/**
 * HTTP/1.0 probes send no `Host`; Bun then gives a URL without origin, which Hono cannot read. Of
 * the request that is made instead the server knows no connection.
 */
function answerWithoutHost(app: App, request: Request, server: Connections) {
  const connection: Connections = {
    timeout: (_, seconds) => server.timeout(request, seconds),
    requestIP: () => server.requestIP(request),
  };
  return app.fetch(new Request(`http://localhost${request.url}`, request), { server: connection });
}
