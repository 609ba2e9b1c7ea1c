import type { MessageSink } from "../messagesocket.ts";
import type { App } from "./app.ts";
import type { Certificate } from "./certificate.ts";
import type { Connections, Scope } from "./scope.ts";
import { WEBSOCKET_HANDLERS } from "./websocket.ts";

const IDLE_TIMEOUT_S = 120;

/** A running HTTP server. */
export interface Listener {
  /** The address for clients, e.g. `http://127.0.0.1:32768`. */
  url: string;
  port: number;
  /**
   * Shows another certificate from now on. Requests that run go on; connections without one are
   * closed. Throws, and changes nothing, if it cannot be used.
   */
  renew(certificate: Certificate): void;
  /** Takes no further connections, and closes those without a request. Idempotent. */
  pause(): void;
  /** Takes connections again. Throws if the port has been taken meanwhile. Idempotent. */
  resume(): void;
  /** Takes no further connections, for good: another process does. */
  leave(): void;
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
  /** Default: none, plain HTTP. */
  certificate?: Certificate | undefined;
  /** Another process listens there, whose place this one is to take. Default: nobody does. */
  isShared?: boolean;
}

/**
 * Serves an app. The routes limit the size of bodies, so that the refusal has the API's shape, and
 * `forward` limits the silence of responses. Throws when the address is in use.
 */
export function listen(app: App, options: ListenAddress): Listener {
  const { isShared = false, ...address } = options;
  let { certificate } = options;
  if (!isShared && SHARES_PORTS) requireFree(address);
  let server = serve(app, address, certificate);
  /** Those that were replaced and still answer requests. */
  const earlier = new Set<Server>();
  const bound = server.port ?? address.port;
  const place = { ...address, port: bound };
  let isPaused = false;
  let hasLeft = false;
  const { host } = address;
  function retire(before: Server): void {
    earlier.add(before);
    void before.stop(false).finally(() => earlier.delete(before));
  }
  function pause(): void {
    if (isPaused) return;
    isPaused = true;
    retire(server);
  }
  const scheme = certificate === undefined ? "http" : "https";
  return {
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    renew(next) {
      certificate = next;
      if (isPaused) return;
      const before = server;
      server = replacement(app, before, place, next);
      retire(before);
    },
    pause,
    leave() {
      hasLeft = true;
      pause();
    },
    resume() {
      if (!isPaused || hasLeft) return;
      server = serve(app, place, certificate);
      isPaused = false;
    },
    async stop(force) {
      await Promise.all([server, ...earlier].map((one) => one.stop(force)));
    },
  };
}

type Server = Bun.Server<MessageSink>;
type Place = Pick<ListenAddress, "host" | "port" | "idleTimeoutS">;

/** Whether two servers may listen on a port, so that one can take the place of the other. */
const SHARES_PORTS = process.platform !== "win32";

function serve(app: App, { host, port, idleTimeoutS }: Place, certificate?: Certificate): Server {
  const tls = certificate === undefined ? {} : { tls: pairOf(certificate) };
  return Bun.serve({
    hostname: host,
    port,
    fetch: (request, self) =>
      hasNoUrl(request)
        ? answerWithoutHost(app, request, self)
        : app.fetch(request, { server: self }),
    idleTimeout: idleTimeoutS ?? IDLE_TIMEOUT_S,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    websocket: WEBSOCKET_HANDLERS,
    reusePort: SHARES_PORTS,
    ...tls,
  });
}

/**
 * A server in place of another. Bun cannot change the certificate of one, but a second may listen
 * beside it; not on Windows, where the port is closed for a moment.
 */
function replacement(app: App, before: Server, place: Place, certificate: Certificate): Server {
  if (SHARES_PORTS) return serve(app, place, certificate);
  before.stop(false);
  return serve(app, place, certificate);
}

/** Servers that may be replaced share their port, so that nobody would notice a second llmlb. */
function requireFree({ host, port }: Place): void {
  if (port !== 0) Bun.serve({ hostname: host, port, fetch: () => new Response() }).stop(true);
}

function pairOf({ cert, key, passphrase }: Certificate) {
  return { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
}

/** Takes the idle limit off a request's connection, e.g. while a model works. */
export function withoutIdleLimit(c: Scope): void {
  c.env?.server?.timeout(c.req.raw, 0);
}

/** Puts the idle limit on a request's connection again. */
export function withIdleLimit(c: Scope): void {
  c.env?.server?.timeout(c.req.raw, IDLE_TIMEOUT_S);
}

/** Whether the `Host` makes no URL: there is none, or an address with a zone (`[fe80::1%eth0]`). */
function hasNoUrl({ url }: Request): boolean {
  if (url.startsWith("/")) return true;
  const hasBracket = url.startsWith("[", 7) || url.startsWith("[", 8);
  return hasBracket && !URL.canParse(url);
}

/**
 * HTTP/1.0 probes send no `Host`. Bun then gives a URL without origin, which Hono cannot read, so
 * the app gets a copy of the request. The server does not know the copy's connection: questions
 * about it are asked with the original.
 */
function answerWithoutHost(app: App, request: Request, server: Server) {
  const connection: Connections = {
    timeout: (_, seconds) => server.timeout(request, seconds),
    requestIP: () => server.requestIP(request),
    upgrade: (_, options) => server.upgrade(request, options),
  };
  const origin = `${server.protocol ?? "http"}://localhost`;
  const path = request.url.replace(/^https?:\/\/[^/?]*/, "");
  return app.fetch(new Request(origin + path, request), { server: connection });
}
