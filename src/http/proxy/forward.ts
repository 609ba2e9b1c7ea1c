import { asBuffer } from "../../lib/buffer.ts";
import { type ApiError, type Dialect, errorFrame } from "../../wire/error.ts";
import type { Route } from "../client/address.ts";
import type { AnswerBody } from "../client/body.ts";
import { plainAnswer } from "../client/contentcoding.ts";
import { type Exchange, exchange } from "../client/exchange.ts";
import type { RequestBody } from "../client/upload.ts";
import { hasSameType, typedAnswer } from "./answertype.ts";
import { CONTENT } from "./content.ts";
import { type Caller, Deadlines } from "./deadlines.ts";
import { EventNumbers } from "./eventnumbers.ts";
import { asApiError } from "./failure.ts";
import { type Gather, gathered, readHead } from "./gather.ts";
import { forwardedHeaders, returnedHeaders, STREAM_HEADERS } from "./headers.ts";
import { hiddenErrorStatus, requireContent } from "./hiddenerror.ts";
import { isRedirect, redirects } from "./redirect.ts";
import { type Relayed, relay, type SendOutcome, type Tap } from "./relay.ts";
import type { Rewrite, Rewritten } from "./rewrite/rewrite.ts";
import { errorInDialect, withoutOwnSecret } from "./upstreamerror.ts";

/** Where a request is forwarded to. */
export interface ForwardTarget extends Pick<Route, "proxy" | "guarded" | "fingerprint"> {
  /** Complete URL; with `unix` only its path and query matter. */
  url: string;
  /** Path of a Unix socket to connect to. */
  unix?: string;
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
  caller: Caller;
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
  /** Headers of ours for the answer; they win over the target's. */
  answerHeaders?: Record<string, string> | undefined;
  /** Sees the answer's bytes as they pass. */
  tap?: Tap | undefined;
  /** Answers below 300 that are errors, web pages or nothing are taken for failures. */
  checksAnswer?: boolean;
  /** Changes the target's answer for the client. Default: it passes unchanged. */
  rewrite?: Rewrite | undefined;
  /** Makes one piece of a stream that nobody asked for; undefined: it passes. Default: it was. */
  gather?: Gather | undefined;
  /** Called when the request is on its way, with what ends it: see `Deadlines.stop`. */
  onSent?(end: (reason: ApiError, silentSinceMs?: number) => boolean): void;
  /** Called when a stream has its first content, unless that tells of an error. */
  onContent?(status: number): void;
  /**
   * Called when the target's stream failed; `status` is what its first event tells. Returns the
   * stream that takes its place or goes on where it broke; undefined: none does. Default: none.
   */
  instead?(failure: StreamFailure): Promise<Forwarded | undefined>;
  /** Called with the reason if the request has to end, e.g. for a time limit. */
  onStop?(reason: ApiError): void;
  /** Returns a more exact error for a failure of the target, e.g. that its process has ended. */
  explain?(failure: ApiError): Promise<ApiError>;
}

/** How a stream failed: `hasBegun` if it had content before. */
export type StreamFailure = { error: ApiError; hasBegun: boolean } | { status: number };

/** Status and headers of the client's answer. */
interface Init {
  status: number;
  headers: Record<string, string>;
}

export interface Forwarded {
  response: Response;
  /** What the target answered, or ought to have; translations may tell the client another one. */
  status: number;
  /** It is a stream that has begun, and whose content is still to come. */
  awaitsContent: boolean;
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
  deadlines.onStop = options.onStop;
  deadlines.wait("answer", options.firstByteTimeoutMs);
  const { idleTimeoutMs, contentTimeoutMs = options.firstByteTimeoutMs, tap, rewrite } = options;
  const gapMs = Math.max(contentTimeoutMs, idleTimeoutMs);
  deadlines.waitForContent({ firstMs: contentTimeoutMs, gapMs });
  try {
    const sent = send(options);
    deadlines.onEnd = (reason) => sent.abort(reason);
    options.onSent?.((reason, sinceMs) => deadlines.stop(reason, sinceMs));
    const coded = await sent.head;
    if (isRedirect(coded)) throw redirects(sent, coded, options.target.label);
    const { head, body: plain } = plainAnswer(coded, sent);
    if (plain !== sent) deadlines.onEnd = (reason) => plain.abort(reason);
    const isShort = head.framing === "length" && head.length <= WHOLE_BODY_BYTES_MAX;
    if (!isShort) deadlines.touch("rest");
    const clean = withoutOwnSecret(plain, options.target.headers);
    const seen = typedAnswer(head, clean, WHOLE_BODY_BYTES_MAX);
    const answer = seen instanceof Promise ? await seen : seen;
    const limits = { bytesMax: WHOLE_BODY_BYTES_MAX, deadlines };
    const { gather, requestId, dialect, answerHeaders } = options;
    const isUnasked = answer.type === "events" && gather !== undefined;
    const typed = isUnasked ? await gathered(answer.body, gather, limits) : undefined;
    const { type, contentType, body } = typed ?? answer;
    const returned = returnedHeaders(head.headers, requestId, dialect);
    const init: Init = { status: head.status, headers: Object.assign(returned, answerHeaders) };
    if (contentType !== undefined) init.headers["content-type"] = contentType;
    if (type === "events" || type === "lines") {
      return stream(body, { type, init, options, deadlines });
    }
    if (head.status >= 400 || (rewrite !== undefined && type === "json")) {
      return await rewritten(body, init, options, deadlines);
    }
    if (isShort) {
      const read = body.ended ? body.read() : body.bytes(WHOLE_BODY_BYTES_MAX);
      const done = checked(read instanceof Promise ? await read : read, init, options, deadlines);
      return done instanceof Promise ? await done : done;
    }
    const read = type === "json" ? await readHead(body, limits) : undefined;
    if (read?.ended) return await checked(read.bytes, init, options, deadlines);
    init.headers["x-accel-buffering"] = "no";
    const relayed = relay(body, { deadlines, idleTimeoutMs, tap, head: read?.bytes });
    return relayedAnswer(relayed, init, false);
  } catch (cause) {
    deadlines.end();
    throw await asApiError(cause, options, deadlines);
  }
}

function send({ target, method, headers, body, requestId }: ForwardOptions): Exchange {
  const sent = forwardedHeaders(headers, requestId, target.headers);
  // Any other body than a form was parsed as JSON, whatever its content type.
  const isForm = /^multipart\//i.test(sent["content-type"] ?? "");
  if (body !== null && !isForm) sent["content-type"] = "application/json";
  return exchange({ ...target, method, headers: sent, body, keepAlive: true });
}

interface WholeParts {
  deadlines: Deadlines;
  tap?: Tap | undefined;
  /** Default: that of the client's answer. */
  status?: number;
}

function whole(
  bytes: Uint8Array | undefined,
  init: Init,
  { deadlines, tap, status = init.status }: WholeParts,
): Forwarded {
  deadlines.end();
  if (bytes !== undefined) tap?.push(bytes);
  const body = bytes === undefined || bytes.byteLength === 0 ? null : bytes;
  const response = new Response(body as BodyInit | null, init);
  return { response, status, awaitsContent: false, sent: COMPLETE };
}

/** Answers with an error, or with a rewritten body: both are read to their end first. */
async function rewritten(
  body: AnswerBody,
  init: Init,
  options: ForwardOptions,
  deadlines: Deadlines,
): Promise<Forwarded> {
  deadlines.touch("rest");
  const bytes = Buffer.from(await body.bytes(REWRITTEN_BYTES_MAX));
  const type = init.headers["content-type"] ?? "";
  if (options.checksAnswer && init.status < 300) requireContent(bytes, type, options.target.label);
  return made(bytes, init, options, deadlines);
}

/** Passes a whole answer on as it is, unless it is an error in disguise. */
function checked(
  bytes: Uint8Array | undefined,
  init: Init,
  options: ForwardOptions,
  deadlines: Deadlines,
): Forwarded | Promise<Forwarded> {
  const { tap, checksAnswer, target } = options;
  if (checksAnswer !== true || init.status >= 300) return whole(bytes, init, { deadlines, tap });
  const type = init.headers["content-type"] ?? "";
  requireContent(bytes ?? new Uint8Array(), type, target.label);
  if (bytes === undefined || !type.startsWith("application/json")) {
    return whole(bytes, init, { deadlines, tap });
  }
  const buffer = asBuffer(bytes);
  const status = hiddenErrorStatus(buffer);
  return status === undefined
    ? whole(bytes, init, { deadlines, tap })
    : made(buffer, { ...init, status }, options, deadlines);
}

/** Makes the client's answer of a whole one. */
async function made(
  bytes: Buffer,
  given: Init,
  { rewrite, tap, dialect, requestId, target, checksAnswer }: ForwardOptions,
  deadlines: Deadlines,
): Promise<Forwarded> {
  const hidden = checksAnswer && given.status < 300 ? hiddenErrorStatus(bytes) : undefined;
  const init = hidden === undefined ? given : { ...given, status: hidden };
  const result: Rewritten = (await rewrite?.whole(bytes, init.status)) ?? { bytes };
  const { status = init.status } = result;
  const answer = { status, bytes: result.bytes, dialect, requestId, label: target.label };
  const told = status >= 400 ? errorInDialect(answer) : undefined;
  const type = (rewrite ?? told) && { "content-type": "application/json" };
  const headers = { ...init.headers, ...type, ...result.headers };
  tap?.push(bytes);
  return whole(told ?? result.bytes, { status, headers }, { deadlines, status: init.status });
}

interface StreamParts {
  type: "events" | "lines";
  init: Init;
  options: ForwardOptions;
  deadlines: Deadlines;
}

/**
 * Passes on a stream of events or JSON lines. If it fails before it has any content, another one
 * may take its place; if it breaks, its last frame is an error.
 */
function stream(body: AnswerBody, { type, init, options, deadlines }: StreamParts): Forwarded {
  const { idleTimeoutMs, firstByteTimeoutMs, dialect, onContent } = options;
  const awaitsContent = init.status < 400;
  const instead = awaitsContent ? options.instead?.bind(options) : undefined;
  const afterBreak = async (cause: unknown): Promise<Uint8Array> => {
    const error = await asApiError(cause, options, deadlines);
    const made = rewrite?.fail?.(error);
    if (made !== undefined) return made;
    const frame = errorFrame(error, dialect, numbers?.next);
    // The event before the error may lack its empty line.
    return new TextEncoder().encode(dialect === "ollama" ? frame : `\n${frame}`);
  };
  const numbers = dialect === "responses" ? new EventNumbers(options.tap) : undefined;
  const rewrite = options.rewrite?.stream(init.headers["content-type"] ?? "");
  if (rewrite?.contentType !== undefined) init.headers["content-type"] = rewrite.contentType;
  Object.assign(init.headers, STREAM_HEADERS);
  const relayed = relay(body, {
    ...{ deadlines, idleTimeoutMs, rewrite, afterBreak },
    onContent: awaitsContent && onContent ? () => onContent(init.status) : undefined,
    firstContentMs: Math.max(idleTimeoutMs, firstByteTimeoutMs),
    ...{ ...CONTENT[type], tap: numbers ?? options.tap },
    instead:
      instead &&
      (async (how, hasBegun) => {
        if ("status" in how) return standIn(await instead(how), init);
        const error = await asApiError(how.cause, options, deadlines);
        return standIn(await instead({ error, hasBegun }), init);
      }),
  });
  return relayedAnswer(relayed, init, awaitsContent);
}

function relayedAnswer({ stream, sent }: Relayed, init: Init, awaitsContent: boolean): Forwarded {
  return { response: new Response(stream, init), status: init.status, awaitsContent, sent };
}

/** The stream that takes another one's place, whose headers are out. */
function standIn(next: Forwarded | undefined, { headers }: Init) {
  if (next === undefined) return undefined;
  const { response, awaitsContent, sent } = next;
  const isAlike = hasSameType(response.headers.get("content-type"), headers["content-type"]);
  if (awaitsContent && isAlike && response.body) return { stream: response.body, sent };
  return void response.body?.cancel();
}
