import { ApiError, type Dialect, errorFrame } from "../../wire/error.ts";
import type { AnswerBody } from "../client/body.ts";
import { plainAnswer } from "../client/contentcoding.ts";
import { type Exchange, exchange } from "../client/exchange.ts";
import { ClientError } from "../client/failure.ts";
import type { ForwardProxy } from "../client/proxy.ts";
import type { RequestBody } from "../client/upload.ts";
import { ReadBody, type TypedAnswer, typedAnswer } from "./answertype.ts";
import { hasEvent, hasLine } from "./content.ts";
import { Deadlines } from "./deadlines.ts";
import { EventNumbers } from "./eventnumbers.ts";
import { forwardedHeaders, returnedHeaders } from "./headers.ts";
import { hiddenErrorStatus, requireContent } from "./hiddenerror.ts";
import { isRedirect, redirects } from "./redirect.ts";
import { relay, type SendOutcome, type Sequel, type Tap } from "./relay.ts";
import type { Rewrite, Rewritten } from "./rewrite/rewrite.ts";
import { errorInDialect } from "./upstreamerror.ts";

/** Where a request is forwarded to. */
export interface ForwardTarget {
  /** Complete URL; with `unix` only its path and query matter. */
  url: string;
  /** Path of a Unix socket to connect to. */
  unix?: string;
  /** Default: no proxy. */
  proxy?: ForwardProxy | undefined;
  /** Headers that replace the client's, e.g. the endpoint's own key. */
  headers?: Record<string, string>;
  /** The target's name in errors, e.g. `endpoint gpu1`. */
  label: string;
}

export interface ForwardOptions {
  target: ForwardTarget;
  method: string;
  /** The client's headers; those that matter to inference are forwarded (`headers.ts`). */
  headers: Headers;
  /** Sent unchanged. A stream can be sent only once. */
  body: RequestBody;
  requestId: string;
  /** The client's API: errors are sent in its shape. */
  dialect: Dialect;
  /** The client's request, whose `signal` aborts when the client leaves; see `Deadlines`. */
  caller: { readonly signal: AbortSignal };
  /** Longest wait for the response's headers, and for all of a small answer that is sent whole. */
  firstByteTimeoutMs: number;
  /**
   * Longest wait for content, from the sending on: signs of life do not make it longer. Content of
   * a stream is an event or a line, and the waits for more are limited alike, but not below the
   * idle time; an answer that is read whole is there by then. Default: `firstByteTimeoutMs`.
   */
  contentTimeoutMs?: number;
  /** Longest silence inside the response's body. */
  idleTimeoutMs: number;
  /** Sees the answer's bytes as they pass. */
  tap?: Tap | undefined;
  /** Answers below 300 that are errors, web pages or nothing are taken for failures. */
  checksAnswer?: boolean;
  /** Changes the target's answer for the client. Default: it passes unchanged. */
  rewrite?: Rewrite | undefined;
  /**
   * Makes an answer in one piece of a stream of events that nobody asked for; undefined: there is
   * none, it passes as it is. Default: the client wants a stream.
   */
  gather?: ((events: Uint8Array) => Uint8Array | undefined) | undefined;
  /**
   * Called when the target's stream broke after its first byte. Returns the body that continues it;
   * undefined: none does. Default: the client's stream ends with an error event.
   */
  resume?(failure: ApiError): AnswerBody | undefined;
  /** Returns a more exact error for a failure of the target, e.g. that its process has ended. */
  explain?(failure: ApiError): Promise<ApiError>;
}

/** Status and headers of the client's answer. */
interface Init {
  status: number;
  headers: Record<string, string>;
}

export interface Forwarded {
  response: Response;
  /** Resolves when the body has been sent, with how that ended. */
  sent: Promise<SendOutcome>;
}

/** Largest answer that is rewritten as a whole; it may contain images. */
const REWRITTEN_BYTES_MAX = 64 * 1024 * 1024;

/** JSON answers up to this size are read whole, so that a cut becomes a clean error. */
const WHOLE_BODY_BYTES_MAX = 8 * 1024 * 1024;

const COMPLETE: Promise<SendOutcome> = Promise.resolve("complete");

/**
 * Sends a request on and returns the answer, status and bytes unchanged, but for errors that are
 * not in the shape of the client's API: those are translated. Event streams are passed on as they
 * come; if one breaks after its first byte, its last frame is an error in `dialect`.
 * Throws `upstream` (502) when the target cannot be reached, breaks off or redirects
 * (a client that followed would take its prompt and its key there), `timeout` (504) when it is
 * silent, `client_closed` when the client has gone.
 */
export async function forward(options: ForwardOptions): Promise<Forwarded> {
  const deadlines = new Deadlines(options.target.label, options.caller);
  deadlines.wait("answer", options.firstByteTimeoutMs);
  const { idleTimeoutMs, contentTimeoutMs = options.firstByteTimeoutMs, tap, rewrite } = options;
  const gapMs = Math.max(contentTimeoutMs, idleTimeoutMs);
  deadlines.waitForContent({ firstMs: contentTimeoutMs, gapMs });
  try {
    const sent = send(options);
    deadlines.onEnd = (reason) => sent.abort(reason);
    const coded = await sent.head;
    if (isRedirect(coded)) throw redirects(sent, coded, options.target.label);
    const { head, body: plain } = plainAnswer(coded, sent);
    if (plain !== sent) deadlines.onEnd = (reason) => plain.abort(reason);
    const isShort = head.framing === "length" && head.length <= WHOLE_BODY_BYTES_MAX;
    if (!isShort) deadlines.wait("rest", idleTimeoutMs);
    const answer = await typedAnswer(head, plain, WHOLE_BODY_BYTES_MAX);
    const isUnasked = answer.type === "events" && options.gather !== undefined;
    const typed = isUnasked ? await gathered(answer.body, options, deadlines) : undefined;
    const { type, contentType, body } = typed ?? answer;
    const init: Init = {
      status: head.status,
      headers: returnedHeaders(head.headers, options.requestId, options.dialect),
    };
    if (contentType !== undefined) init.headers["content-type"] = contentType;
    if (type === "events") return stream({ body, hasContent: hasEvent }, init, options, deadlines);
    if (type === "lines") return stream({ body, hasContent: hasLine }, init, options, deadlines);
    if (head.status >= 400 || (rewrite !== undefined && type === "json")) {
      return await rewritten(body, init, options, deadlines);
    }
    if (isShort) {
      const bytes = body.ended ? body.read() : body.bytes(WHOLE_BODY_BYTES_MAX);
      return checked(bytes instanceof Promise ? await bytes : bytes, init, options, deadlines);
    }
    const read = type === "json" ? await readHead(body, deadlines) : undefined;
    if (read?.ended) return checked(read.bytes, init, options, deadlines);
    const relayed = relay(body, { deadlines, idleTimeoutMs, tap, head: read?.bytes });
    return { response: new Response(relayed.stream, init), sent: relayed.sent };
  } catch (cause) {
    deadlines.end();
    throw await asApiError(cause, options, deadlines);
  }
}

function send({ target, method, headers, body, requestId }: ForwardOptions): Exchange {
  const { url, unix, proxy } = target;
  const sent = forwardedHeaders(headers, requestId, target.headers);
  // Any other body than a form was parsed as JSON, whatever its content type.
  const isForm = /^multipart\//i.test(sent["content-type"] ?? "");
  if (body !== null && !isForm) sent["content-type"] = "application/json";
  return exchange({ url, unix, proxy, method, headers: sent, body, keepAlive: true });
}

function whole(
  bytes: Uint8Array | undefined,
  init: Init,
  { deadlines, tap }: { deadlines: Deadlines; tap: Tap | undefined },
): Forwarded {
  deadlines.end();
  if (bytes !== undefined) tap?.push(bytes);
  const body = bytes === undefined || bytes.byteLength === 0 ? null : bytes;
  return { response: new Response(body as BodyInit | null, init), sent: COMPLETE };
}

/** Answers with an error, or with a rewritten body: both are read to their end first. */
async function rewritten(
  body: AnswerBody,
  init: Init,
  options: ForwardOptions,
  deadlines: Deadlines,
): Promise<Forwarded> {
  deadlines.wait("rest", options.idleTimeoutMs);
  return made(Buffer.from(await body.bytes(REWRITTEN_BYTES_MAX)), init, options, deadlines);
}

/** Passes a whole answer on as it is, unless it is an error in disguise. */
function checked(
  bytes: Uint8Array | undefined,
  init: Init,
  options: ForwardOptions,
  deadlines: Deadlines,
): Forwarded {
  const { tap, checksAnswer, target } = options;
  if (checksAnswer !== true || init.status >= 300) return whole(bytes, init, { deadlines, tap });
  const type = init.headers["content-type"] ?? "";
  requireContent(bytes ?? EMPTY, type, target.label);
  if (bytes === undefined || !type.startsWith("application/json")) {
    return whole(bytes, init, { deadlines, tap });
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = hiddenErrorStatus(buffer);
  return status === undefined
    ? whole(bytes, init, { deadlines, tap })
    : made(buffer, { ...init, status }, options, deadlines);
}

const EMPTY = new Uint8Array();

/** Makes the client's answer of a whole one. */
function made(
  bytes: Buffer,
  given: Init,
  { rewrite, tap, dialect, requestId, target, checksAnswer }: ForwardOptions,
  deadlines: Deadlines,
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
  return whole(told ?? result.bytes, { status, headers }, { deadlines, tap: undefined });
}

/** Passes on a stream of events or JSON lines. If it breaks, its last frame is an error. */
function stream(
  { body, hasContent }: { body: AnswerBody; hasContent: (bytes: Uint8Array) => boolean },
  init: Init,
  options: ForwardOptions,
  deadlines: Deadlines,
): Forwarded {
  const afterBreak = async (cause: unknown): Promise<Sequel> => {
    const error = await asApiError(cause, options, deadlines);
    const next = options.resume?.(error);
    if (next !== undefined) return { body: next };
    const made = rewrite?.fail?.(error);
    if (made !== undefined) return { last: made };
    const frame = errorFrame(error, options.dialect, numbers?.next);
    // The event before the error may lack its empty line.
    return { last: new TextEncoder().encode(options.dialect === "ollama" ? frame : `\n${frame}`) };
  };
  const { idleTimeoutMs, dialect } = options;
  const numbers = dialect === "responses" ? new EventNumbers(options.tap) : undefined;
  const tap = numbers ?? options.tap;
  const rewrite = options.rewrite?.stream(init.headers["content-type"] ?? "");
  if (rewrite?.contentType !== undefined) init.headers["content-type"] = rewrite.contentType;
  const limits = { deadlines, idleTimeoutMs, hasContent };
  const relayed = relay(body, { ...limits, tap, rewrite, afterBreak });
  return { response: new Response(relayed.stream, init), sent: relayed.sent };
}

/** JSON in place of a stream, where one piece was asked for and the stream can be made one. */
async function gathered(
  stream: AnswerBody,
  { gather }: ForwardOptions,
  deadlines: Deadlines,
): Promise<TypedAnswer> {
  const { bytes, ended } = await readHead(stream, deadlines);
  const made = ended ? gather?.(bytes) : undefined;
  const body = new ReadBody(made ?? bytes, ended ? undefined : stream);
  const type = made === undefined ? "events" : "json";
  const contentType = made === undefined ? "text/event-stream" : "application/json";
  return { type, contentType, body };
}

/** The whole body if it is small enough, else its beginning. */
async function readHead(
  body: AnswerBody,
  deadlines: Deadlines,
): Promise<{ bytes: Buffer; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size <= WHOLE_BODY_BYTES_MAX) {
    const piece = await body.read();
    if (piece === undefined) return { bytes: Buffer.concat(pieces, size), ended: true };
    deadlines.touch("rest");
    pieces.push(piece);
    size += piece.byteLength;
  }
  return { bytes: Buffer.concat(pieces, size), ended: false };
}

async function asApiError(
  cause: unknown,
  { target, explain }: ForwardOptions,
  deadlines: Deadlines,
): Promise<ApiError> {
  if (deadlines.reason !== undefined) return deadlines.reason;
  if (cause instanceof ApiError) return cause;
  // The client's own body broke off or was too large, which is no failure of the target.
  const bodyFailure =
    cause instanceof ClientError && cause.code === "body" ? cause.cause : undefined;
  if (bodyFailure instanceof ApiError) return bodyFailure;
  const message = `Sending the request to ${target.label} failed: it could not be reached or broke \
off its answer. Try again, or see GET /ready for what is online.`;
  const failure = new ApiError("upstream", message, { cause });
  return explain === undefined ? failure : explain(failure);
}
