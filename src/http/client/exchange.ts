import { type Route, splitUrl } from "./address.ts";
import { type AnswerBody, joined, restOf } from "./body.ts";
import type { Connection, PendingRequest } from "./connection.ts";
import type { ClientError } from "./failure.ts";
import type { ResponseHead } from "./head.ts";
import { encodeRequest, type Outgoing, type RequestMessage } from "./message.ts";
import { type Host, Pool } from "./pool.ts";
import { isStreamed } from "./upload.ts";

export interface ClientRequest extends Omit<RequestMessage, "path" | "host">, Route {
  /** Complete URL; with `unix` only its path and query matter. */
  url: string;
  /** Path of a Unix socket to connect to. */
  unix?: string | undefined;
}

/** Bytes that are read ahead of the reader; beyond, the server has to wait. */
const READ_AHEAD_BYTES = 64 * 1024;

/** A reused connection that the server had closed fails within this time; later failures count. */
const STALE_MS_MAX = 1000;

/** One pool for the process, as with `fetch`: connections belong to no request. */
const pool = new Pool();

/** Closes all idle connections, for a process that is about to end. */
export function closeIdleConnections(): void {
  pool.closeIdle();
}

/**
 * Sends a request. Redirects are not followed, and nothing limits how long it takes: see `abort`.
 * Without `keepAlive` it gets a connection of its own. Throws `ClientError` if it cannot be sent.
 */
export function exchange(request: ClientRequest): Exchange {
  const { origin, path } = splitUrl(request.url);
  const server = pool.host(origin, request.unix, request);
  const { host, prefix, proxy } = server.address;
  const { method, body, keepAlive } = request;
  // A tunnel needs the credentials only when it is opened; its content does not concern the proxy.
  const authorization = prefix === undefined ? undefined : proxy?.authorization;
  const headers =
    authorization === undefined
      ? request.headers
      : { ...request.headers, "proxy-authorization": authorization };
  const target = prefix === undefined ? path : prefix + path;
  const outgoing = encodeRequest({ method, path: target, host, headers, body, keepAlive });
  return new Exchange(server, outgoing, { toHead: method === "HEAD", keepAlive });
}

/** One request and its answer, as far as it has come. */
export class Exchange implements PendingRequest, AnswerBody {
  readonly outgoing: Outgoing;
  readonly toHead: boolean;
  readonly keepAlive: boolean;
  readonly #host: Host;
  readonly #head = Promise.withResolvers<ResponseHead>();
  #connection: Connection | undefined;
  /** When an idle connection was reused, which may turn out to be closed. */
  #reusedAt: number | undefined;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #ended = false;
  #failure: unknown;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(host: Host, outgoing: Outgoing, options: { toHead: boolean; keepAlive: boolean }) {
    this.#host = host;
    this.outgoing = outgoing;
    this.toHead = options.toHead;
    this.keepAlive = options.keepAlive;
    // A streamed body cannot be sent again if the connection turns out to be closed.
    if (this.keepAlive && !isStreamed(outgoing.body)) {
      this.#reusedAt = performance.now();
      this.#connection = host.reuse(this);
    }
    if (this.#connection !== undefined) return;
    this.#reusedAt = undefined;
    this.#connection = host.connect(this);
  }

  /** The beginning of the answer; rejects with `ClientError` or what `abort` was called with. */
  get head(): Promise<ResponseHead> {
    return this.#head.promise;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Rejects or throws as `head` does, once what came before the failure has been read. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#pieces.length > 0) return this.#take();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return undefined;
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  bytes(limitBytes: number): Promise<Uint8Array> {
    return restOf(this, limitBytes);
  }

  /** Ends it, wherever it is: the connection is closed, reading fails with `cause`. Idempotent. */
  abort(cause: unknown): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#pieces = [];
    this.#connection?.destroy();
    this.#break(cause);
  }

  onHead(head: ResponseHead): void {
    this.#head.resolve(head);
  }

  onBody(bytes: Uint8Array): void {
    if (this.#reader !== undefined) return void this.#answer(bytes);
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.byteLength;
    if (this.#pieceBytes > READ_AHEAD_BYTES) this.#connection?.pause();
  }

  onEnd(): void {
    this.#ended = true;
    this.#connection = undefined;
    this.#answer(undefined);
  }

  onFailure(error: ClientError, untouched: boolean): void {
    const reusedAt = this.#reusedAt;
    this.#reusedAt = undefined;
    const stale = reusedAt !== undefined && performance.now() - reusedAt < STALE_MS_MAX;
    if (untouched && stale) this.#connection = this.#host.connect(this);
    else this.#break(error);
  }

  #take(): Uint8Array {
    const bytes = joined(this.#pieces, this.#pieceBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#connection?.resume();
    return bytes;
  }

  #answer(bytes: Uint8Array | undefined): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(bytes);
  }

  #break(cause: unknown): void {
    this.#failure = cause;
    this.#connection = undefined;
    // A caller that has the head already does not wait for it.
    this.#head.promise.catch(() => undefined);
    this.#head.reject(cause);
    this.#reader?.reject(cause);
    this.#reader = undefined;
  }
}
