import { ApiError, type Dialect, errorFrame } from "../../wire/error.ts";
import type { AnswerBody } from "../client/body.ts";
import { plainAnswer } from "../client/contentcoding.ts";
import { type Exchange, exchange } from "../client/exchange.ts";
import { ClientError } from "../client/failure.ts";
import { headerOf, type ResponseHead } from "../client/head.ts";
import type { ForwardProxy } from "../client/proxy.ts";
import type { RequestBody } from "../client/upload.ts";
import { ReadBody, type TypedAnswer, typedAnswer } from "./answertype.ts";
import { Deadlines } from "./deadlines.ts";
import { EventNumbers } from "./eventnumbers.ts";
import { forwardedHeaders, returnedHeaders } from "./headers.ts";
import { hiddenErrorStatus, requireContent } from "./hiddenerror.ts";
import { relay, type SendOutcome, type Sequel, type Tap } from "./relay.ts";
import type { Rewrite, Rewritten } from "./rewrite/rewrite.ts";
import { errorInDialect } from "./upstreamerror.ts";

/** Where a request goes on. */
export interface ForwardTarget {
  /** Complete URL; with `unix` only its path and query matter. */
  url: string;
  /** Path of a Unix socket to connect to. */
  unix?: string;
  /** Through which proxy; default none. */
  proxy?: ForwardProxy | undefined;
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
  /** Sent as it is. A streamed one is used up by the first try. */
  body: RequestBody;
  requestId: string;
  /** In whose terms a failure in mid-stream is told. */
  dialect: Dialect;
  /** The client's request, whose `signal` aborts when it goes away; see `Watch`. */
  caller: { readonly signal: AbortSignal };
  /** Longest wait for the response's headers, and for all of a small answer that is sent whole. */
  firstByteTimeoutMs: number;
  /** Longest silence inside the response's body. */
  idleTimeoutMs: number;
  /** Sees the answer's bytes as they pass by. */
  tap?: Tap | undefined;
  /** Answers below 300 that are errors, web pages or nothing are taken for failures. */
  checksAnswer?: boolean;
  /** Makes the client's answer of the target's; default: it passes unchanged. */
  rewrite?: Rewrite | undefined;
  /**
   * Makes an answer in one piece of a stream of events that nobody asked for; undefined: there is
   * none, it passes as it is. Default: the client wants a stream.
   */
  gather?: ((events: Uint8Array) => Uint8Array | undefined) | undefined;
  /**
   * The target's stream broke after its first byte: the body that goes on in its place. Default:
   * none, and the client's stream ends with an error event.
   */
  resume?(failure: ApiError): AnswerBody | undefined;
  /** Says more exactly what a failure of the target (`upstream`) was: its process died, say. */
  explain?(failure: ApiError): Promise<ApiError>;
}

/** How an answer begins. */
interface Init {
  status: number;
  headers: Record<string, string>;
}

export interface Forwarded {
  response: Response;
  /** Settles when the body has been sent: how it ended. */
  sent: Promise<SendOutcome>;
}

/** An answer that is rewritten may be larger: there may be images in it. */
const REWRITTEN_BYTES_MAX = 64 * 1024 * 1024;

/** JSON answers up to this size are read whole, so that a cut becomes a clean error. */
const WHOLE_BODY_BYTES_MAX = 8 * 1024 * 1024;

const COMPLETE: Promise<SendOutcome> = Promise.resolve("complete");

/**
 * Sends a request on and returns the answer, status and bytes unchanged, but for errors that are
 * not in the client's API: those are told in its shape. Event streams flow through
 * as they come; if one breaks after its first byte, its last frame is an error in `dialect`.
 * Throws `upstream` (502) when the target cannot be reached, breaks off or redirects
 * (a client that followed would take its prompt and its key there), `timeout` (504) when it is
 * silent, `client_closed` when the client has gone.
 */
export async function forward(options: ForwardOptions): Promise<Forwarded> {
  const watch = new Deadlines(options.target.label, options.caller);
  watch.wait("answer", options.firstByteTimeoutMs);
  const { idleTimeoutMs, tap, rewrite } = options;
  try {
    const sent = send(options);
    watch.onEnd = (reason) => sent.abort(reason);
    const coded = await sent.head;
    if (isRedirect(coded)) throw redirects(sent, coded, options.target.label);
    const { head, body: plain } = plainAnswer(coded, sent);
    if (plain !== sent) watch.onEnd = (reason) => plain.abort(reason);
    const isShort = head.framing === "length" && head.length <= WHOLE_BODY_BYTES_MAX;
    if (!isShort) watch.wait("rest", idleTimeoutMs);
    const answer = await typedAnswer(head, plain, WHOLE_BODY_BYTES_MAX);
    const isUnasked = answer.type === "events" && options.gather !== undefined;
    const typed = isUnasked ? await gathered(answer.body, options, watch) : undefined;
    const { type, contentType, body } = typed ?? answer;
    const init: Init = {
      status: head.status,
      headers: returnedHeaders(head.headers, options.requestId, options.dialect),
    };
    if (contentType !== undefined) init.headers["content-type"] = contentType;
    if (type === "events" || type === "lines") return events(body, init, options, watch);
    if (head.status >= 400 || (rewrite !== undefined && type === "json")) {
      return await rewritten(body, init, options, watch);
    }
    if (isShort) {
      const bytes = body.ended ? body.read() : body.bytes(WHOLE_BODY_BYTES_MAX);
      return checked(bytes instanceof Promise ? await bytes : bytes, init, options, watch);
    }
    const read = type === "json" ? await readHead(body, watch) : undefined;
    if (read?.ended) return checked(read.bytes, init, options, watch);
    const relayed = relay(body, { watch, idleTimeoutMs, tap, head: read?.bytes });
    return { response: new Response(relayed.stream, init), sent: relayed.sent };
  } catch (cause) {
    watch.end();
    throw await asApiError(cause, options, watch);
  }
}

function send({ target, method, headers, body, requestId }: ForwardOptions): Exchange {
  const { url, unix, proxy } = target;
  const sent = forwardedHeaders(headers, requestId, target.headers);
  // What is no form is JSON, and was read as such whatever the client calls it.
  const isForm = /^multipart\//i.test(sent["content-type"] ?? "");
  if (body !== null && !isForm) sent["content-type"] = "application/json";
  return exchange({ url, unix, proxy, method, headers: sent, body, keepAlive: true });
}

function isRedirect({ status }: ResponseHead): boolean {
  return status >= 300 && status < 400;
}

/** The failure of a target that is somewhere else. Where is for the log, not for clients. */
function redirects(body: AnswerBody, head: ResponseHead, label: string): ApiError {
  const where = headerOf(head, "location") ?? "no address";
  const cause = new Error(`It answered ${head.status}, a redirect to ${where.slice(0, 500)}`);
  body.abort(cause);
  const message = `Sending the request to ${label} failed: it answered with a redirect \
(${head.status}), and redirects are not followed. Set its base URL to the address that it \
redirects to, which is in the log.`;
  return new ApiError("upstream", message, { cause });
}

function whole(
  bytes: Uint8Array | undefined,
  init: Init,
  { watch, tap }: { watch: Deadlines; tap: Tap | undefined },
): Forwarded {
  watch.end();
  if (bytes !== undefined) tap?.push(bytes);
  const body = bytes === undefined || bytes.byteLength === 0 ? null : bytes;
  return { response: new Response(body as BodyInit | null, init), sent: COMPLETE };
}

/** An error, or an answer of which another is made: read as a whole first, whatever its framing. */
async function rewritten(
  body: AnswerBody,
  init: Init,
  options: ForwardOptions,
  watch: Deadlines,
): Promise<Forwarded> {
  watch.wait("rest", options.idleTimeoutMs);
  return made(Buffer.from(await body.bytes(REWRITTEN_BYTES_MAX)), init, options, watch);
}

/** Passes a whole answer on as it is, unless it is an error in disguise. */
function checked(
  bytes: Uint8Array | undefined,
  init: Init,
  options: ForwardOptions,
  watch: Deadlines,
): Forwarded {
  const { tap, checksAnswer, target } = options;
  if (checksAnswer !== true || init.status >= 300) return whole(bytes, init, { watch, tap });
  const type = init.headers["content-type"] ?? "";
  requireContent(bytes ?? EMPTY, type, target.label);
  if (bytes === undefined || !type.startsWith("application/json")) {
    return whole(bytes, init, { watch, tap });
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = hiddenErrorStatus(buffer);
  return status === undefined
    ? whole(bytes, init, { watch, tap })
    : made(buffer, { ...init, status }, options, watch);
}

const EMPTY = new Uint8Array();

/** Makes the client's answer of a whole one. */
function made(
  bytes: Buffer,
  given: Init,
  { rewrite, tap, dialect, requestId, target, checksAnswer }: ForwardOptions,
  watch: Deadlines,
): Forwarded {
  const hidden = checksAnswer && given.status < 300 ? hiddenErrorStatus(bytes) : undefined;
  const init = hidden === undefined ? given : { ...given, status: hidden };
  const result: Rewritten = rewrite?.whole(bytes, init.status) ?? { bytes };
  const { status = init.status } = result;
  const answer = { status, bytes: result.bytes, dialect, requestId, label: target.label };
  const told = status >= 400 ? errorInDialect(answer) : undefined;
  const isAsItWas = rewrite === undefined && told === undefined;
  const type = isAsItWas ? undefined : { "content-type": "application/json" };
  const headers = { ...init.headers, ...type, ...result.headers };
  tap?.push(bytes);
  return whole(told ?? result.bytes, { status, headers }, { watch, tap: undefined });
}

/** Passes a stream of events (or of JSON lines) on; should it break, its last frame says so. */
function events(
  body: AnswerBody,
  init: Init,
  options: ForwardOptions,
  watch: Deadlines,
): Forwarded {
  const afterBreak = async (cause: unknown): Promise<Sequel> => {
    const error = await asApiError(cause, options, watch);
    const next = options.resume?.(error);
    if (next !== undefined) return { body: next };
    const made = rewrite?.fail?.(error);
    if (made !== undefined) return { last: made };
    const frame = errorFrame(error, options.dialect, numbers?.next);
    // The event before it may lack its empty line.
    return { last: new TextEncoder().encode(options.dialect === "ollama" ? frame : `\n${frame}`) };
  };
  const { idleTimeoutMs, dialect } = options;
  const numbers = dialect === "responses" ? new EventNumbers(options.tap) : undefined;
  const tap = numbers ?? options.tap;
  const rewrite = options.rewrite?.stream(init.headers["content-type"] ?? "");
  if (rewrite?.contentType !== undefined) init.headers["content-type"] = rewrite.contentType;
  const { stream, sent } = relay(body, { watch, idleTimeoutMs, tap, rewrite, afterBreak });
  return { response: new Response(stream, init), sent };
}

/** JSON in place of a stream, where one piece was asked for and the stream can be made one. */
async function gathered(
  stream: AnswerBody,
  { gather }: ForwardOptions,
  watch: Deadlines,
): Promise<TypedAnswer> {
  const { bytes, ended } = await readHead(stream, watch);
  const made = ended ? gather?.(bytes) : undefined;
  const body = new ReadBody(made ?? bytes, ended ? undefined : stream);
  const type = made === undefined ? "events" : "json";
  const contentType = made === undefined ? "text/event-stream" : "application/json";
  return { type, contentType, body };
}

/** The whole body if it is small enough, else what was read until then. */
async function readHead(
  body: AnswerBody,
  watch: Deadlines,
): Promise<{ bytes: Buffer; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size <= WHOLE_BODY_BYTES_MAX) {
    const piece = await body.read();
    if (piece === undefined) return { bytes: Buffer.concat(pieces, size), ended: true };
    watch.touch("rest");
    pieces.push(piece);
    size += piece.byteLength;
  }
  return { bytes: Buffer.concat(pieces, size), ended: false };
}

async function asApiError(
  cause: unknown,
  { target, explain }: ForwardOptions,
  watch: Deadlines,
): Promise<ApiError> {
  if (watch.reason !== undefined) return watch.reason;
  if (cause instanceof ApiError) return cause;
  // The client's own body broke off or was too large: no fault of the target.
  const told = cause instanceof ClientError && cause.code === "body" ? cause.cause : undefined;
  if (told instanceof ApiError) return told;
  const message = `Sending the request to ${target.label} failed: it could not be reached or broke \
off its answer. Try again, or see GET /ready for what is online.`;
  const failure = new ApiError("upstream", message, { cause });
  return explain === undefined ? failure : explain(failure);
}
