import { ApiError, type Dialect, errorFrame } from "../wire/error.ts";
import { forwardedHeaders, returnedHeaders } from "./headers.ts";
import { relay, type SendOutcome, type Tap } from "./relay.ts";
import { Watch } from "./watch.ts";

/** Where a request goes on. */
export interface ForwardTarget {
  /** Complete URL; with `unix` only its path and query matter. */
  url: string;
  /** Path of a Unix socket to connect to. */
  unix?: string;
  /** Headers that replace the client's, e.g. the endpoint's own key. */
  headers?: Record<string, string>;
  /** How errors call the target, e.g. `endpoint gpu1`. */
  label: string;
}

export interface ForwardOptions {
  target: ForwardTarget;
  method: string;
  /** The client's headers; those that matter to inference go on (`headers.ts`). */
  headers: Headers;
  /** Sent as it is. */
  body: Uint8Array<ArrayBuffer> | null;
  requestId: string;
  /** In whose terms a failure in mid-stream is told. */
  dialect: Dialect;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  /** Longest wait for the response's headers, and for all of a small answer that is sent whole. */
  firstByteTimeoutMs: number;
  /** Longest silence inside the response's body. */
  idleTimeoutMs: number;
  /** Sees the answer's bytes as they pass by. */
  tap?: Tap | undefined;
  /** Says more exactly what a failure of the target (`upstream`) was: its process died, say. */
  explain?(failure: ApiError): Promise<ApiError>;
}

export interface Forwarded {
  response: Response;
  /** Settles when the body has been sent: how it ended. */
  sent: Promise<SendOutcome>;
}

/** JSON answers up to this size are read whole, so that a cut becomes a clean error. */
const WHOLE_BODY_BYTES_MAX = 8 * 1024 * 1024;

/** A kept-alive connection that had been closed tells so at once; later resets are answers. */
const STALE_RESET_MS_MAX = 1000;

/**
 * Sends a request on and returns the answer, status and bytes unchanged. Event streams flow through
 * as they come; if one breaks after its first byte, its last frame is an error in `dialect`.
 * Throws `upstream` (502) when the target cannot be reached or breaks off, `timeout` (504) when it
 * is silent, `client_closed` when the client has gone.
 */
export async function forward(options: ForwardOptions): Promise<Forwarded> {
  const watch = new Watch({ label: options.target.label, client: options.signal });
  watch.wait("answer", options.firstByteTimeoutMs);
  try {
    const answer = await send(options, watch.signal);
    if (!isSmall(answer)) return await relayed(answer, options, watch);
    const bytes = await answer.arrayBuffer();
    watch.end();
    return whole(bytes, initOf(answer, options), options.tap);
  } catch (cause) {
    watch.end();
    throw await asApiError(cause, options, watch);
  }
}

/** One try, and a second on a fresh connection if a kept-alive one turned out to be closed. */
function send(options: ForwardOptions, signal: AbortSignal): Promise<Response> {
  const { target, body, method } = options;
  const init: BunFetchRequestInit = {
    method,
    headers: forwardedHeaders(options.headers, options.requestId, target.headers),
    body,
    signal,
    redirect: "manual",
  };
  if (target.unix !== undefined) init.unix = target.unix;
  const startedAt = performance.now();
  return fetch(target.url, init).catch((cause) => {
    const stale = isReset(cause) && performance.now() - startedAt < STALE_RESET_MS_MAX;
    if (signal.aborted || !stale) throw cause;
    return fetch(target.url, { ...init, keepalive: false });
  });
}

function isReset(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | null)?.code;
  return code === "ECONNRESET" || code === "EPIPE" || code === "ConnectionClosed";
}

/** Whether an answer says that it is short, and is no stream of events. */
function isSmall({ headers, body }: Response): boolean {
  if (body === null) return true;
  const length = headers.get("content-length");
  if (length === null || Number(length) > WHOLE_BODY_BYTES_MAX) return false;
  return headers.get("content-type")?.startsWith("text/event-stream") !== true;
}

function initOf({ status, headers }: Response, { requestId }: ForwardOptions): ResponseInit {
  return { status, headers: returnedHeaders(headers, requestId) };
}

function whole(bytes: ArrayBuffer, init: ResponseInit, tap: Tap | undefined): Forwarded {
  tap?.push(new Uint8Array(bytes));
  const body = bytes.byteLength === 0 ? null : bytes;
  return { response: new Response(body, init), sent: Promise.resolve("complete") };
}

/** Passes an answer on as it comes; JSON only if it turns out to be long. */
async function relayed(
  answer: Response,
  options: ForwardOptions,
  watch: Watch,
): Promise<Forwarded> {
  const init = initOf(answer, options);
  const type = answer.headers.get("content-type") ?? "";
  const body = answer.body ?? new Blob().stream();
  const { idleTimeoutMs, tap } = options;
  if (type.startsWith("text/event-stream")) {
    const lastWords = async (cause: unknown) => {
      const error = await asApiError(cause, options, watch);
      return new TextEncoder().encode(`\n${errorFrame(error, options.dialect)}`);
    };
    const { stream, sent } = relay(body, { watch, idleTimeoutMs, tap, lastWords });
    return { response: new Response(stream, init), sent };
  }
  watch.wait("rest", idleTimeoutMs);
  const isJson = type.startsWith("application/json") && !answer.headers.has("content-length");
  const head = isJson ? await readHead(body, watch) : [];
  if (head instanceof ArrayBuffer) {
    watch.end();
    return whole(head, init, tap);
  }
  const { stream, sent } = relay(body, { watch, idleTimeoutMs, tap, head });
  return { response: new Response(stream, init), sent };
}

/** The whole body if it is small enough, else the pieces read until then. */
async function readHead(
  body: ReadableStream<Uint8Array>,
  watch: Watch,
): Promise<ArrayBuffer | Uint8Array[]> {
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size <= WHOLE_BODY_BYTES_MAX) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer();
    watch.touch("rest");
    pieces.push(value);
    size += value.byteLength;
  }
  reader.releaseLock();
  return pieces;
}

async function asApiError(
  cause: unknown,
  { target, explain }: ForwardOptions,
  watch: Watch,
): Promise<ApiError> {
  if (watch.reason !== undefined) return watch.reason;
  if (cause instanceof ApiError) return cause;
  const message = `Sending the request to ${target.label} failed: it could not be reached or broke \
off its answer. Try again, or see GET /ready for what is online.`;
  const failure = new ApiError("upstream", message, { cause });
  return explain === undefined ? failure : explain(failure);
}
