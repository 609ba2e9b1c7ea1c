import type { App } from "./app.ts";

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

/**
 * Serves an app. Bodies are limited by the routes (so that the refusal has the API's shape), idle
 * connections by the streams' own time limits. Throws when the address is taken.
 */
export function listen(app: App, { host, port }: ListenAddress): Listener {
  const server = Bun.serve({
    hostname: host,
    port,
    fetch: (request) => app.fetch(request),
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  });
  const bound = server.port ?? port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    stop: (force) => server.stop(force),
  };
}
