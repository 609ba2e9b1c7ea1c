import type { Socket, SocketHandler } from "bun";
import type { ServerIdentity } from "./address.ts";
import { ClientError } from "./failure.ts";
import { parseHead } from "./head.ts";
import type { ForwardProxy } from "./proxy.ts";
import { tlsOptions } from "./trust.ts";

export interface TunnelOptions<T> {
  proxy: ForwardProxy;
  /** The server behind it, as `host:port`. */
  target: string;
  /** Who has to answer behind it. */
  tls: ServerIdentity;
  /** Data and handlers of the connection once TLS begins. */
  data: T;
  socket: SocketHandler<T>;
  /** Longest wait for the proxy. */
  timeoutMs: number;
}

/** Longest answer of a proxy to `CONNECT`. */
const HEAD_BYTES_MAX = 16 * 1024;

/**
 * Connects to a server through a proxy (RFC 9110, 9.3.6) and begins TLS with the server. From then
 * on the handlers of `socket` are called as if it had connected itself. Rejects with `ClientError`
 * if the proxy is not reached or refuses.
 */
export function openTunnel<T>(options: TunnelOptions<T>): Promise<void> {
  const { proxy, timeoutMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const handshake: Handshake<T> = { options, received: "", stage: "connecting", resolve, reject };
  const late = () => fail(handshake, "did not answer in time");
  const timer = setTimeout(late, timeoutMs);
  const place = { hostname: proxy.hostname, port: proxy.port };
  Bun.connect<Handshake<T>>({ ...place, data: handshake, socket: handlers<T>() }).catch((cause) =>
    fail(handshake, "could not be reached", cause),
  );
  return promise.finally(() => clearTimeout(timer));
}

interface Handshake<T> {
  options: TunnelOptions<T>;
  raw?: Socket<Handshake<T>>;
  /** The answer of the proxy so far, in characters of one byte. */
  received: string;
  stage: "connecting" | "open" | "failed";
  resolve(): void;
  reject(error: ClientError): void;
}

function handlers<T>(): SocketHandler<Handshake<T>> {
  return {
    open(socket) {
      const handshake = socket.data;
      handshake.raw = socket;
      if (handshake.stage === "failed") return void socket.terminate();
      const { target, proxy } = handshake.options;
      const { authorization } = proxy;
      const credentials =
        authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`;
      const head = `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials}\r\n`;
      // Short enough for a socket to accept it at once.
      socket.write(Buffer.from(head, "latin1"));
    },
    data(socket, bytes) {
      // Once TLS has begun, Bun passes its encrypted bytes here as well.
      if (socket.data.stage === "connecting") readAnswer(socket.data, bytes);
    },
    close(socket) {
      fail(socket.data, "closed the connection");
    },
    error: () => undefined,
  };
}

function readAnswer<T>(handshake: Handshake<T>, bytes: Buffer): void {
  handshake.received += bytes.toString("latin1");
  const end = handshake.received.indexOf("\r\n\r\n");
  if (end < 0) {
    if (handshake.received.length > HEAD_BYTES_MAX) fail(handshake, "answered too much");
    return;
  }
  const { status, failure } = statusOf(handshake.received.slice(0, end));
  if (failure !== undefined) return void fail(handshake, "did not answer as proxies do", failure);
  if (status < 200 || status > 299) return void fail(handshake, `answered HTTP ${status}`);
  // A TLS server sends nothing before the client: these bytes would be of the proxy itself.
  if (handshake.received.length > end + 4) return void fail(handshake, "said more than it should");
  const { raw, options, resolve } = handshake;
  if (raw === undefined) return;
  handshake.stage = "open";
  const { data, socket, tls } = options;
  raw.setNoDelay(true);
  raw.upgradeTLS<T>({ data, socket, tls: tlsOptions(tls) });
  resolve();
}

function statusOf(head: string): { status: number; failure?: unknown } {
  try {
    return { status: parseHead(head, true).status };
  } catch (failure) {
    return { status: 0, failure };
  }
}

function fail<T>(handshake: Handshake<T>, what: string, cause?: unknown): void {
  if (handshake.stage !== "connecting") return;
  handshake.stage = "failed";
  handshake.raw?.terminate();
  const { origin } = handshake.options.proxy;
  handshake.reject(
    new ClientError("connect", `Connecting failed: the proxy ${origin} ${what}.`, cause),
  );
}
