import { createHash } from "node:crypto";
import type { Socket, SocketHandler } from "bun";
import { withDeadline } from "../../lib/deadline.ts";
import type { MessageSink, MessageSocket } from "../messagesocket.ts";
import { type Address, addressOf, type Route, splitUrl } from "./address.ts";
import { dial } from "./dial.ts";
import { ClientError, connectionProblem } from "./failure.ts";
import { clientFrame, FrameReader, OPCODE, type Opcode } from "./frames.ts";
import { headerOf, parseHead } from "./head.ts";
import { judge, type TlsPeer } from "./trust.ts";

export interface WebSocketOptions extends Route {
  /** With the scheme `http` or `https`. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Longest wait for the server to agree. */
  timeoutMs: number;
  sink: MessageSink;
}

/** The server answered something else than a WebSocket. */
export class WebSocketRefusal extends Error {
  readonly status: number;
  /** The beginning of the answer's body. */
  readonly body: string;
  constructor(status: number, body: string) {
    super(`The server answered HTTP ${status}.`);
    this.name = "WebSocketRefusal";
    this.status = status;
    this.body = body;
  }
}

/** Longest head of an answer, and of the body of a refusal. */
const HEAD_BYTES_MAX = 16 * 1024;
/** A ping goes out so often; after so many without any sign of the server it counts as gone. */
const PING_MS = 5000;
const SILENT_PINGS_MAX = 4;
const REASON_BYTES_MAX = 120;
const NOTHING = new Uint8Array(0);

/**
 * Opens a WebSocket. The headers, with the key in them, are sent once the server's certificate is
 * known to be good, or the pinned one. Throws `ClientError`, or `WebSocketRefusal`.
 */
export async function openWebSocket(options: WebSocketOptions): Promise<void> {
  const { origin, path } = splitUrl(options.url);
  const address = addressOf(origin, undefined, options);
  const socket = new ClientSocket(address, { ...options, path: (address.prefix ?? "") + path });
  const { timeoutMs } = options;
  const handling = { data: socket, socket: HANDLERS, timeoutMs };
  dial(address, handling).catch((cause) => socket.fail(connectFailure(cause)));
  if ((await withDeadline(socket.opened, { timeoutMs })) !== "timeout") return;
  socket.fail(new ClientError("timeout", "Connecting failed: it took too long."));
  await socket.opened;
}

class ClientSocket implements MessageSocket {
  readonly #address: Address;
  readonly #options: WebSocketOptions & { path: string };
  readonly #opened = Promise.withResolvers<void>();
  readonly #reader = new FrameReader((opcode, payload) => this.#onFrame(opcode, payload));
  #socket: Socket<ClientSocket> | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";
  readonly #key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  #received = "";
  /** Bytes that the socket has not accepted yet. */
  #unsent: Uint8Array[] = [];
  #silentPings = 0;
  #pings: Timer | undefined;

  constructor(address: Address, options: WebSocketOptions & { path: string }) {
    this.#address = address;
    this.#options = options;
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  send(message: Uint8Array | string): void {
    if (this.#state !== "open") return;
    if (typeof message !== "string") this.#write(clientFrame(OPCODE.binary, message));
    else this.#write(clientFrame(OPCODE.text, new TextEncoder().encode(message)));
  }

  close(reason: string): void {
    if (this.#state === "open") this.#write(clientFrame(OPCODE.close, closePayload(reason)));
    this.fail(new ClientError("broken", reason));
  }

  /** Closes it at once. Idempotent. */
  fail(error: Error): void {
    const before = this.#state;
    if (before === "closed") return;
    this.#state = "closed";
    clearInterval(this.#pings);
    this.#opened.reject(error);
    this.#socket?.end();
    if (before === "open") this.#options.sink.onClose(error.message);
  }

  onOpen(socket: Socket<ClientSocket>): void {
    this.#socket = socket;
    if (this.#state === "closed") return void socket.terminate();
    socket.setNoDelay(true);
    if (this.#address.tls === undefined) this.#ask();
  }

  onHandshake(peer: TlsPeer, isTrusted: boolean, cause: Error | null): void {
    const fingerprint = this.#address.tls?.fingerprint;
    const failure = judge(peer, { fingerprint, isTrusted, cause });
    if (failure === undefined) this.#ask();
    else this.fail(failure);
  }

  onData(bytes: Buffer): void {
    this.#silentPings = 0;
    try {
      if (this.#state === "open") this.#reader.feed(bytes);
      else if (this.#state === "connecting") this.#readAnswer(bytes);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onDrain(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const piece of unsent) this.#write(piece);
  }

  onClose(): void {
    // A refusal may end with the connection.
    const end = this.#received.indexOf("\r\n\r\n");
    if (this.#state === "connecting" && end > 0) this.#refuse(end);
    this.fail(new ClientError("broken", "the connection broke"));
  }

  #ask(): void {
    const { headers, path } = this.#options;
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    const handshake = { "sec-websocket-version": "13", "sec-websocket-key": this.#key };
    const all = { host: this.#address.host, ...upgrade, ...handshake, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#write(Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"));
  }

  #readAnswer(bytes: Buffer): void {
    this.#received += bytes.toString("latin1");
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0 && this.#received.length <= HEAD_BYTES_MAX) return;
    const head = parseHead(this.#received.slice(0, Math.max(0, end)), false);
    if (head.status !== 101) {
      const bodyBytes = this.#received.length - end - 4;
      const isWhole = head.framing === "length" && bodyBytes >= head.length;
      if (isWhole || bodyBytes > HEAD_BYTES_MAX) this.#refuse(end);
      return;
    }
    if (headerOf(head, "sec-websocket-accept") !== acceptOf(this.#key)) {
      throw new ClientError("malformed", "Connecting failed: the server speaks no WebSocket.");
    }
    const rest = Buffer.from(this.#received.slice(end + 4), "latin1");
    this.#received = "";
    this.#state = "open";
    this.#pings = setInterval(() => this.#ping(), PING_MS);
    this.#options.sink.onOpen(this);
    this.#opened.resolve();
    if (rest.byteLength > 0) this.#reader.feed(rest);
  }

  #refuse(end: number): void {
    const { status } = parseHead(this.#received.slice(0, end), false);
    const body = Buffer.from(this.#received.slice(end + 4), "latin1").toString("utf8");
    this.fail(new WebSocketRefusal(status, body));
  }

  #ping(): void {
    this.#silentPings += 1;
    if (this.#silentPings <= SILENT_PINGS_MAX) this.#write(clientFrame(OPCODE.ping, NOTHING));
    else this.fail(new ClientError("timeout", "it gives no sign of life any more"));
  }

  #onFrame(opcode: Opcode, payload: Buffer): void {
    const { sink } = this.#options;
    switch (opcode) {
      case OPCODE.binary:
        sink.onMessage(payload);
        break;
      case OPCODE.text:
        sink.onMessage(payload.toString("utf8"));
        break;
      case OPCODE.ping:
        this.#write(clientFrame(OPCODE.pong, payload));
        break;
      case OPCODE.close: {
        const reason = payload.subarray(2).toString("utf8");
        this.fail(new ClientError("broken", reason === "" ? "it closed" : reason));
        break;
      }
      case OPCODE.pong:
        break;
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#unsent.length > 0) return void this.#unsent.push(bytes);
    // A negative count means closed, which `onClose` handles.
    const count = Math.max(0, this.#socket?.write(bytes) ?? 0);
    if (count < bytes.byteLength) this.#unsent.push(bytes.subarray(count));
  }
}

/** One set of handlers for all of them. */
const HANDLERS: SocketHandler<ClientSocket> = {
  open: (socket) => socket.data.onOpen(socket),
  handshake: (socket, success, error) => socket.data.onHandshake(socket, success, error),
  data: (socket, bytes) => socket.data.onData(bytes),
  drain: (socket) => socket.data.onDrain(),
  close: (socket) => socket.data.onClose(),
  // A failed TLS session; `close` follows.
  error: () => undefined,
};

/** What only a server answers that has read the key (RFC 6455, 1.3). */
function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

function closePayload(reason: string): Uint8Array {
  const NORMAL = 1000;
  const payload = Buffer.alloc(2 + REASON_BYTES_MAX);
  payload.writeUInt16BE(NORMAL);
  return payload.subarray(0, 2 + payload.write(reason, 2));
}

function connectFailure(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const words = connectionProblem(cause) ?? String((cause as { code?: unknown })?.code ?? cause);
  return new ClientError("connect", `Connecting failed: ${words}.`, cause);
}
