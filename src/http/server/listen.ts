import type { App } from "./app.ts";
import type { Connections, Scope } from "./scope.ts";

const IDLE_TIMEOUT_S = 120;

/** A running HTTP server. */
export interface Listener {
  /** The address for clients, e.g. `http://127.0.0.1:32768`. */
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
   * A connection without traffic for this long is closed, be it idle or a slow sender. Default 120.
   */
  idleTimeoutS?: number;
}

/**
 * Serves an app. The routes limit the size of bodies, so that the refusal has the API's shape, and
 * `forward` limits the silence of responses. Throws when the address is in use.
 */
export function listen(
  app: App,
  { host, port, idleTimeoutS = IDLE_TIMEOUT_S }: ListenAddress,
): Listener {
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

/** Takes the idle limit off a request's connection, e.g. while a model works. */
export function withoutIdleLimit(c: Scope): void {
  c.env?.server?.timeout(c.req.raw, 0);
}

/** Puts the idle limit on a request's connection again. */
export function withIdleLimit(c: Scope): void {
  c.env?.server?.timeout(c.req.raw, IDLE_TIMEOUT_S);
}

/**
 * HTTP/1.0 probes send no `Host`. Bun then gives a URL without origin, which Hono cannot read, so
 * the app gets a copy of the request. The server does not know the copy's connection: questions
 * about it are asked with the original.
 */
function answerWithoutHost(app: App, request: Request, server: Connections) {
  const connection: Connections = {
    timeout: (_, seconds) => server.timeout(request, seconds),
    requestIP: () => server.requestIP(request),
  };
  return app.fetch(new Request(`http://localhost${request.url}`, request), { server: connection });
}
