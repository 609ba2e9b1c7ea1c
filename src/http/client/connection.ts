import type { Socket, SocketHandler } from "bun";
import { endOfTurn } from "../../lib/eventloop.ts";
import type { Address } from "./address.ts";
import { dial } from "./dial.ts";
import { ClientError } from "./failure.ts";
import type { Outgoing } from "./message.ts";
import { broken, ResponseParser, type ResponseSink } from "./parser.ts";
import { judge, type TlsPeer } from "./trust.ts";
import { isStreamed, type StreamedBody, Upload } from "./upload.ts";

/** One request that a connection carries, with the receiver of its answer. */
export interface PendingRequest extends ResponseSink {
  readonly outgoing: Outgoing;
  /** The method is HEAD. */
  readonly toHead: boolean;
  /** The connection may carry others afterwards. */
  readonly keepAlive: boolean;
  /** There is no answer, or no more of it. `untouched`: no byte of it had come. */
  onFailure(error: ClientError, untouched: boolean): void;
}

/** Keeps a connection between two requests. */
export interface ConnectionOwner {
  /** The connection is free for another request. */
  released(connection: Connection): void;
  /** A connection that was free has closed. */
  lost(connection: Connection): void;
}

const CONNECT_MS_MAX = 10_000;
const PROBE_AFTER_MS = 60_000;

/** Requests up to this size are assembled in one buffer: a socket copies what it accepts. */
const BUFFERED_BYTES_MAX = 64 * 1024;
const REQUEST_BUFFER = Buffer.alloc(BUFFERED_BYTES_MAX);

/**
 * One connection to a server, over TCP, TLS or a Unix socket. It carries one request at a time.
 *
 * Certificates are checked by Bun, or pinned (`trust.ts`). Through a proxy, TLS goes in a tunnel
 * (`tunnel.ts`); other requests go to the proxy itself.
 */
export class Connection {
  readonly owner: ConnectionOwner;
  readonly #address: Address;
  #socket: Socket<Connection> | undefined;
  #timer: Timer | undefined;
  #request: PendingRequest | undefined;
  #parser: ResponseParser | undefined;
  /** Bytes of the request that the socket has not accepted yet. */
  #unsent: Uint8Array[] = [];
  #upload: Upload | undefined;
  /** Resolves once the socket has accepted all bytes, or the connection is closed. */
  #drained: PromiseWithResolvers<void> | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";
  #received = false;
  #finished = false;
  #paused = false;

  constructor(address: Address, owner: ConnectionOwner) {
    this.#address = address;
    this.owner = owner;
  }

  /** Connects, and then sends `request`. */
  connect(request: PendingRequest): void {
    this.#assign(request);
    const late = () => this.#fail(connectFailure("it took too long"));
    this.#timer = setTimeout(late, CONNECT_MS_MAX);
    dial(this.#address, { data: this, socket: HANDLERS, timeoutMs: CONNECT_MS_MAX }).catch(
      (cause) => {
        const isOurs = cause instanceof ClientError;
        this.#fail(isOurs ? cause : connectFailure(codeOf(cause), cause));
      },
    );
  }

  /** Sends a request on an open, free connection, together with others of this turn. */
  carry(request: PendingRequest): void {
    this.#assign(request);
    endOfTurn().then(() => {
      // Meanwhile the request may be given up, or the connection closed.
      if (this.#request === request) this.#begin(request);
    });
  }

  /** Reads nothing until `resume`, so that the server has to wait. */
  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Closes the connection; its request is not told. Idempotent. */
  destroy(): void {
    this.#request = undefined;
    this.#parser = undefined;
    this.#close();
    this.#socket?.terminate();
  }

  #assign(request: PendingRequest): void {
    this.#request = request;
    this.#received = false;
  }

  /** @internal */
  onOpen(socket: Socket<Connection>): void {
    this.#socket = socket;
    // The request was given up while it connected.
    if (this.#state === "closed") return void socket.terminate();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    if (this.#address.tls === undefined) this.#ready();
  }

  /** @internal */
  onHandshake(peer: TlsPeer, isTrusted: boolean, cause: Error | null): void {
    if (this.#state !== "connecting") return;
    const fingerprint = this.#address.tls?.fingerprint;
    const failure = judge(peer, { fingerprint, isTrusted, cause });
    if (failure === undefined) this.#ready();
    else this.#fail(failure);
  }

  #ready(): void {
    clearTimeout(this.#timer);
    this.#state = "open";
    if (this.#request !== undefined) this.#begin(this.#request);
  }

  /** Writes a request, in one piece if it is small. */
  #begin(request: PendingRequest): void {
    const { head, body } = request.outgoing;
    this.#parser = new ResponseParser(request, request.toHead);
    if (body !== null && isStreamed(body)) return void this.#stream(head, body);
    const bodyBytes = body?.byteLength ?? 0;
    const total = head.length + bodyBytes;
    if (total > BUFFERED_BYTES_MAX) {
      this.#unsent = [Buffer.from(head, "latin1")];
      if (body !== null) this.#unsent.push(body);
      this.#send();
      return;
    }
    REQUEST_BUFFER.write(head, 0, "latin1");
    if (body !== null) REQUEST_BUFFER.set(body, head.length);
    const count = this.#socket?.write(REQUEST_BUFFER, 0, total) ?? 0;
    if (count < total)
      this.#unsent = [Buffer.from(REQUEST_BUFFER.subarray(Math.max(0, count), total))];
  }

  /** Writes a request whose body is a stream, at the pace of the server. */
  #stream(head: string, body: StreamedBody): void {
    const upload = new Upload(body);
    this.#upload = upload;
    this.#unsent = [Buffer.from(head, "latin1")];
    this.#send();
    const take = (bytes: Uint8Array): Promise<void> | undefined => {
      this.#unsent.push(bytes);
      this.#send();
      if (this.#unsent.length === 0) return undefined;
      this.#drained ??= Promise.withResolvers();
      return this.#drained.promise;
    };
    // An upload that was stopped must not fail the next request of this connection.
    upload.run(take).catch((error) => {
      if (this.#upload === upload) this.#fail(error);
    });
  }

  /** @internal The socket accepts bytes again. */
  onDrain(): void {
    if (this.#state === "open" && this.#unsent.length > 0) this.#send();
    if (this.#unsent.length === 0) this.#resolveDrained();
  }

  #resolveDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #send(): void {
    for (;;) {
      const piece = this.#unsent[0];
      if (piece === undefined) return;
      // A negative count means closed, which `onClose` handles.
      const count = Math.max(0, this.#socket?.write(piece) ?? 0);
      if (count < piece.byteLength) {
        this.#unsent[0] = piece.subarray(count);
        return;
      }
      this.#unsent.shift();
    }
  }

  /** @internal */
  onData(bytes: Buffer): void {
    const parser = this.#parser;
    // Without a request these bytes must not become part of the next answer.
    if (parser === undefined) return void this.#drop();
    this.#received = true;
    try {
      parser.feed(bytes);
    } catch (error) {
      return void this.#fail(error);
    }
    if (!parser.ended) return;
    const sent = this.#unsent.length === 0 && this.#upload?.ended !== false;
    this.#finish(sent && this.#request?.keepAlive === true && parser.reusable);
  }

  /** The answer is complete. */
  #finish(reusable: boolean): void {
    this.#request = undefined;
    this.#parser = undefined;
    if (!reusable || this.#state !== "open") return void this.destroy();
    this.#upload = undefined;
    this.resume();
    this.owner.released(this);
  }

  /** @internal The server will send no more. */
  onEnd(): void {
    this.#finished = true;
  }

  /** @internal */
  onClose(cause: Error | undefined): void {
    const parser = this.#parser;
    if (parser === undefined) return void this.#drop(cause);
    if (!this.#finished || cause !== undefined) return void this.#fail(broken(cause));
    try {
      parser.close();
    } catch (error) {
      return void this.#fail(error);
    }
    this.destroy();
  }

  /** Closes a connection that carries no request, or one that is not written yet. */
  #drop(cause?: Error): void {
    if (this.#request !== undefined) return void this.#fail(broken(cause));
    const idle = this.#state === "open";
    this.destroy();
    if (idle) this.owner.lost(this);
  }

  #fail(error: unknown): void {
    const request = this.#request;
    this.destroy();
    const failure = error instanceof ClientError ? error : broken(error);
    request?.onFailure(failure, !this.#received);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#state = "closed";
    this.#unsent = [];
    this.#upload?.stop();
    this.#upload = undefined;
    this.#resolveDrained();
  }
}

/** One set of handlers for all connections; the socket that Bun passes has its connection. */
const HANDLERS: SocketHandler<Connection> = {
  open: (socket) => socket.data.onOpen(socket),
  handshake: (socket, success, error) => socket.data.onHandshake(socket, success, error),
  data: (socket, bytes) => socket.data.onData(bytes),
  drain: (socket) => socket.data.onDrain(),
  end: (socket) => socket.data.onEnd(),
  close: (socket, error) => socket.data.onClose(error),
  // A failed TLS session; `close` follows.
  error: () => undefined,
};

function connectFailure(what: string, cause?: unknown): ClientError {
  return new ClientError("connect", `Connecting failed: ${what}.`, cause);
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : String(cause);
}
