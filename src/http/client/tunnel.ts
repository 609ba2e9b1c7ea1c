import type { Socket, SocketHandler } from "bun";
import { ClientError } from "./failure.ts";
import { parseHead } from "./head.ts";
import type { ForwardProxy } from "./proxy.ts";

export interface TunnelOptions<T> {
  proxy: ForwardProxy;
  /** The server behind it, as `host:port`. */
  target: string;
  /** The name that the server's certificate has to be for. */
  serverName: string;
  /** What the connection belongs to, and who hears of it once TLS begins. */
  data: T;
  socket: SocketHandler<T>;
  /** Longest wait for the proxy. */
  timeoutMs: number;
}

/** No proxy says more than that before the tunnel is open. */
const HEAD_BYTES_MAX = 16 * 1024;

/**
 * Connects to a server through a proxy (RFC 9110, 9.3.6) and begins TLS with it, of which the proxy
 * sees nothing. From then on `socket` hears of everything, as if it had connected itself. Rejects
 * with `ClientError` if the proxy is not reached or refuses.
 */
export function openTunnel<T>(options: TunnelOptions<T>): Promise<void> {
  const { proxy, timeoutMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asking: Asking<T> = { options, received: "", stage: "asking", resolve, reject };
  const late = () => fail(asking, "did not answer in time");
  const timer = setTimeout(late, timeoutMs);
  const place = { hostname: proxy.hostname, port: proxy.port };
  Bun.connect<Asking<T>>({ ...place, data: asking, socket: handlers<T>() }).catch((cause) =>
    fail(asking, "could not be reached", cause),
  );
  return promise.finally(() => clearTimeout(timer));
}

interface Asking<T> {
  options: TunnelOptions<T>;
  raw?: Socket<Asking<T>>;
  /** What the proxy said so far, in characters of one byte. */
  received: string;
  stage: "asking" | "open" | "failed";
  resolve(): void;
  reject(error: ClientError): void;
}

function handlers<T>(): SocketHandler<Asking<T>> {
  return {
    open(socket) {
      const asking = socket.data;
      asking.raw = socket;
      if (asking.stage === "failed") return void socket.terminate();
      const { target, proxy } = asking.options;
      const { authorization } = proxy;
      const credentials =
        authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`;
      const head = `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials}\r\n`;
      // Far less than any socket takes at once.
      socket.write(Buffer.from(head, "latin1"));
    },
    data(socket, bytes) {
      // Once TLS has begun, Bun shows what it is made of here as well.
      if (socket.data.stage === "asking") hear(socket.data, bytes);
    },
    close(socket) {
      fail(socket.data, "closed the connection");
    },
    error: () => undefined,
  };
}

function hear<T>(asking: Asking<T>, bytes: Buffer): void {
  asking.received += bytes.toString("latin1");
  const end = asking.received.indexOf("\r\n\r\n");
  if (end < 0) {
    if (asking.received.length > HEAD_BYTES_MAX) fail(asking, "answered too much");
    return;
  }
  const { status, failure } = statusOf(asking.received.slice(0, end));
  if (failure !== undefined) return void fail(asking, "did not answer as proxies do", failure);
  if (status < 200 || status > 299) return void fail(asking, `answered HTTP ${status}`);
  // The server says nothing before it was greeted: this would be the proxy's own.
  if (asking.received.length > end + 4) return void fail(asking, "said more than it should");
  const { raw, options, resolve } = asking;
  if (raw === undefined) return;
  asking.stage = "open";
  const { data, socket, serverName } = options;
  raw.setNoDelay(true);
  raw.upgradeTLS<T>({ data, socket, tls: { serverName } });
  resolve();
}

function statusOf(head: string): { status: number; failure?: unknown } {
  try {
    return { status: parseHead(head, true).status };
  } catch (failure) {
    return { status: 0, failure };
  }
}

function fail<T>(asking: Asking<T>, what: string, cause?: unknown): void {
  if (asking.stage !== "asking") return;
  asking.stage = "failed";
  asking.raw?.terminate();
  const { origin } = asking.options.proxy;
  asking.reject(
    new ClientError("connect", `Connecting failed: the proxy ${origin} ${what}.`, cause),
  );
}
