import { ApiError, type Dialect, errorFrame } from "../wire/error.ts";

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
  /** The client's headers; hop-by-hop ones and credentials are left out. */
  headers: Headers;
  /** Sent as it is. */
  body: Uint8Array<ArrayBuffer> | null;
  requestId: string;
  /** In whose terms a failure in mid-stream is told. */
  dialect: Dialect;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  /** Longest wait for the response's headers. */
  firstByteTimeoutMs: number;
  /** Longest silence inside the response's body. */
  idleTimeoutMs: number;
  /** Says more exactly what a failure of the target (`upstream`) was, e.g. that its process died. */
  explain?(failure: ApiError): Promise<ApiError>;
}

export interface Forwarded {
  response: Response;
  /** Settles when the body has been sent: how it ended. */
  sent: Promise<"complete" | "failed" | "cancelled">;
}

/** Headers that belong to one connection (RFC 9110, 7.6.1) or to the client's own credentials. */
const NOT_FORWARDED = new Set([
  "accept-encoding",
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-api-key",
]);

const NOT_RETURNED = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "keep-alive",
  "set-cookie",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
]);

/** Answers up to this size are read whole, so that a cut becomes a clean error. */
const WHOLE_BODY_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Sends a request on and returns the answer, status and bytes unchanged. Event streams flow through
 * as they come; if one breaks after its first byte, its last frame is an error in `dialect`.
 * Throws `upstream` (502) when the target cannot be reached or breaks off, `timeout` (504) when it
 * is silent, `client_closed` when the client has gone.
 */
export async function forward(options: ForwardOptions): Promise<Forwarded> {
  const abort = new AbortController();
  const onClientGone = () => abort.abort(clientGone());
  if (options.signal.aborted) throw clientGone();
  options.signal.addEventListener("abort", onClientGone, { once: true });
  const timer = setTimeout(
    () => abort.abort(silent(options, "answer")),
    options.firstByteTimeoutMs,
  );
  try {
    const upstream = await send(options, abort.signal);
    const headers = returnedHeaders(upstream.headers);
    const status = upstream.status;
    if (upstream.body === null || readsWhole(upstream)) {
      const bytes = await upstream.arrayBuffer();
      options.signal.removeEventListener("abort", onClientGone);
      return {
        response: new Response(bytes, { status, headers }),
        sent: Promise.resolve("complete"),
      };
    }
    const { stream, sent } = passThrough(upstream.body, { options, abort, headers });
    sent.finally(() => options.signal.removeEventListener("abort", onClientGone));
    return { response: new Response(stream, { status, headers }), sent };
  } catch (cause) {
    options.signal.removeEventListener("abort", onClientGone);
    throw await asApiError(cause, options, abort.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** One try, and a second on a fresh connection if a kept-alive one turned out to be closed. */
async function send(options: ForwardOptions, signal: AbortSignal): Promise<Response> {
  const { target, body, method } = options;
  const init: BunFetchRequestInit = {
    method,
    headers: forwardedHeaders(options),
    body,
    signal,
    redirect: "manual",
    ...(target.unix === undefined ? {} : { unix: target.unix }),
  };
  try {
    return await fetch(target.url, init);
  } catch (cause) {
    if (signal.aborted || !isReset(cause)) throw cause;
    return await fetch(target.url, { ...init, keepalive: false });
  }
}

function isReset(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | null)?.code;
  return code === "ECONNRESET" || code === "EPIPE" || code === "ConnectionClosed";
}

function forwardedHeaders({ headers, requestId, target }: ForwardOptions): Headers {
  const out = new Headers();
  for (const [name, value] of headers) if (!NOT_FORWARDED.has(name)) out.set(name, value);
  out.set("accept-encoding", "identity");
  out.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(target.headers ?? {})) out.set(name, value);
  return out;
}

function returnedHeaders(headers: Headers): Headers {
  const out = new Headers();
  for (const [name, value] of headers) if (!NOT_RETURNED.has(name)) out.set(name, value);
  return out;
}

function readsWhole(upstream: Response): boolean {
  const length = upstream.headers.get("content-length");
  return length !== null && Number(length) <= WHOLE_BODY_BYTES_MAX;
}

interface PassThrough {
  options: ForwardOptions;
  abort: AbortController;
  headers: Headers;
}

function passThrough(body: ReadableStream<Uint8Array>, { options, abort, headers }: PassThrough) {
  const { promise: sent, resolve } = Promise.withResolvers<"complete" | "failed" | "cancelled">();
  const isEventStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const reader = body.getReader();
  const idle = setTimeout(
    () => abort.abort(silent(options, "continue its answer")),
    options.idleTimeoutMs,
  );
  let lineOpen = false;
  const end = (how: "complete" | "failed" | "cancelled") => {
    clearTimeout(idle);
    resolve(how);
  };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          end("complete");
          controller.close();
          return;
        }
        idle.refresh();
        lineOpen = value.at(-1) !== 10;
        controller.enqueue(value);
      } catch (cause) {
        end(options.signal.aborted ? "cancelled" : "failed");
        if (!isEventStream) return controller.error(cause);
        const error = await asApiError(cause, options, abort.signal);
        const frame = errorFrame(error, options.dialect);
        controller.enqueue(new TextEncoder().encode(lineOpen ? `\n\n${frame}` : frame));
        controller.close();
      }
    },
    cancel() {
      end("cancelled");
      abort.abort(clientGone());
    },
  });
  return { stream, sent };
}

async function asApiError(
  cause: unknown,
  { target, explain }: ForwardOptions,
  signal: AbortSignal,
): Promise<ApiError> {
  if (signal.aborted && signal.reason instanceof ApiError) return signal.reason;
  if (cause instanceof ApiError) return cause;
  const message = `Sending the request to ${target.label} failed: it could not be reached or broke \
off its answer. Try again, or see GET /ready for what is online.`;
  const failure = new ApiError("upstream", message, { cause });
  return explain === undefined ? failure : explain(failure);
}

function silent({ target }: ForwardOptions, toDo: string): ApiError {
  const message = `Waiting for ${target.label} to ${toDo} took too long. Try again later.`;
  return new ApiError("timeout", message);
}

function clientGone(): ApiError {
  return new ApiError("client_closed", "The client closed the request before the answer was sent.");
}
