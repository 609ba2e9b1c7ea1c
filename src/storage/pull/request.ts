import { type Exchange, exchange } from "../../http/client/exchange.ts";
import { ClientError } from "../../http/client/failure.ts";
import { headerOf, type ResponseHead } from "../../http/client/head.ts";
import { PullError, Setback } from "./failure.ts";

/** Where a file may be fetched from. */
export interface Source {
  url: string;
  /** Sent as `Authorization: Bearer` to this source's own host, never to where it redirects. */
  token: string | undefined;
  /** Another node, which has the file whole; else the hub. */
  peer: boolean;
}

export interface RangeRequest {
  source: Source;
  /** First byte. */
  start: number;
  /** Byte after the last one; undefined: to the end. */
  end: number | undefined;
  /** The strong ETag that the bytes must belong to. */
  ifRange: string | undefined;
  /** Whether a file may come from there. Not asked for peers: the manifest names them. */
  allows(url: string, redirected: boolean): boolean;
  /** Longest wait for the head and between two pieces of the body. */
  idleMs: number;
  signal: AbortSignal;
}

/** An answer whose body is to be read. */
export interface RangeAnswer {
  exchange: Exchange;
  /** Where its bytes belong. */
  start: number;
  /** Size of the whole file, where the server says it. */
  totalBytes: number | undefined;
  /** What identifies the file's content: the hub's own tag, or the server's. */
  etag: string | undefined;
  /** The hub's tag is that of the content, whichever server has it. */
  linked: boolean;
}

const REDIRECTS_MAX = 8;

/**
 * Asks for a range of a file, following redirects to allowed places. Throws `PullError` for what
 * will not change by itself, `Setback` for what may, or the signal's reason.
 */
export async function requestRange(request: RangeRequest): Promise<RangeAnswer> {
  const { source, signal } = request;
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (request.start > 0 || request.end !== undefined) {
    headers.range = `bytes=${request.start}-${lastByte(request.end)}`;
  }
  if (request.ifRange !== undefined) headers["if-range"] = request.ifRange;
  const origin = URL.parse(source.url)?.origin;
  let url = source.url;
  let tag: string | undefined;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
    signal.throwIfAborted();
    refuseForeign(url, hop, request);
    const own = source.token !== undefined && URL.parse(url)?.origin === origin;
    const all = own ? { ...headers, authorization: `Bearer ${source.token}` } : headers;
    const asked = await ask(url, all, request);
    const head = await asked.head;
    tag ??= headerOf(head, "x-linked-etag");
    const location = headerOf(head, "location");
    if (!REDIRECTS.has(head.status) || location === undefined) {
      return accept(asked, head, { request, url, tag });
    }
    asked.abort(new ClientError("broken", "redirected"));
    const next = URL.parse(location, url);
    if (next === null)
      throw new PullError(
        "unreachable",
        `Fetching ${url} failed: it redirects \
to an address that is none.`,
      );
    url = next.href;
  }
  throw new PullError(
    "unreachable",
    `Fetching ${source.url} failed: over ${REDIRECTS_MAX} \
redirects.`,
  );
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function lastByte(end: number | undefined): string {
  return end === undefined ? "" : String(end - 1);
}

function refuseForeign(url: string, hop: number, { source, allows }: RangeRequest): void {
  // A peer was named by the balancer; it serves files itself.
  if (source.peer && hop === 0) return;
  if (!source.peer && allows(url, hop > 0)) return;
  const { host = url } = URL.parse(url) ?? {};
  const how = hop === 0 ? "" : `${source.url} redirects there, but `;
  throw new PullError(
    "origin_not_allowed",
    `Fetching from ${host} is refused: ${how}the host is not on the list of allowed origins. \
If it is to be trusted, add it to the setting origin_allowlist.`,
  );
}

/** Sends it and waits for the head, no longer than `idleMs`. */
async function ask(
  url: string,
  headers: Record<string, string>,
  { signal, idleMs }: RangeRequest,
): Promise<Exchange> {
  let asked: Exchange;
  try {
    asked = exchange({ url, method: "GET", headers, body: null, keepAlive: true });
  } catch (cause) {
    throw new PullError(
      "unreachable",
      `Fetching ${withoutQuery(url)} failed: ${text(cause)}`,
      cause,
    );
  }
  const onAbort = () => asked.abort(signal.reason);
  const late = new Setback(`no answer within ${idleMs} ms`, {});
  const timer = setTimeout(() => asked.abort(late), idleMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await asked.head;
    return asked;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ClientError) throw new Setback(cause.message, { cause });
    throw cause;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

interface Context {
  request: RangeRequest;
  url: string;
  /** What the hub said before it redirected. */
  tag: string | undefined;
}

function accept(asked: Exchange, head: ResponseHead, context: Context): RangeAnswer {
  const { request, tag } = context;
  const own = headerOf(head, "etag");
  const common = { exchange: asked, etag: tag ?? own, linked: tag !== undefined };
  if (head.status === 200) {
    const totalBytes = head.framing === "length" ? head.length : undefined;
    return { ...common, start: 0, totalBytes };
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(head, "content-range") ?? "");
  if (head.status === 206 && range !== null && Number(range[1]) === request.start) {
    const totalBytes = range[3] === "*" ? undefined : Number(range[3]);
    return { ...common, start: request.start, totalBytes };
  }
  asked.abort(new ClientError("broken", "refused"));
  throw refusal(head, context);
}

function refusal(head: ResponseHead, { request, url }: Context): Error {
  const { status } = head;
  const place = withoutQuery(url);
  if (status === 401 || status === 403) return unauthorized(status, place, request.source);
  if (status === 404 || status === 410) {
    return new PullError(
      "not_found",
      `Fetching ${place} failed: it is not there (${status}). \
Register the model anew, so that its list of files is that of today.`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new Setback(`${place} answers ${status}`, { retryAfterMs: retryAfterMs(head) });
  }
  return new PullError(
    "unreachable",
    `Fetching ${place} failed: it answers ${status}, which is \
no part of a file.`,
  );
}

function unauthorized(status: number, place: string, source: Source): PullError {
  if (source.peer) return new PullError("unauthorized", `${place} refuses us (status=${status}).`);
  const advice =
    source.token === undefined
      ? "Accept its conditions on the hub's page if it has any, then start this node with HF_TOKEN"
      : "Does the account of HF_TOKEN have access? Accept the model's conditions on the hub's page";
  return new PullError(
    "unauthorized",
    `Fetching ${place} failed: gated model or unauthorized (status=${status}). ${advice}, and \
pull again.`,
  );
}

/** What `Retry-After` says, in seconds or as a date. */
function retryAfterMs(head: ResponseHead): number | undefined {
  const value = headerOf(head, "retry-after");
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** Queries of redirected addresses are keys. */
function withoutQuery(url: string): string {
  return url.split("?")[0] ?? url;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
