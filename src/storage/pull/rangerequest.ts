import { type Exchange, exchange } from "../../http/client/exchange.ts";
import { ExchangeLimit } from "../../http/client/exchangelimit.ts";
import { ClientError } from "../../http/client/failure.ts";
import { headerOf, type ResponseHead } from "../../http/client/head.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { PullError, TransientError } from "./error.ts";
import type { FileSource } from "./filesource.ts";
import { refusal, withoutQuery } from "./refusal.ts";
import { isWebPage, mayBeWebPage, webPageError } from "./webpage.ts";

export interface RangeRequest {
  source: FileSource;
  /** The first byte. */
  start: number;
  /** The byte after the last one; undefined: to the end of the file. */
  end: number | undefined;
  /** The strong ETag of the file that the bytes must belong to. */
  ifRange: string | undefined;
  /** Whether a file may come from an address. Not called for nodes: the manifest names them. */
  allows(url: string, redirected: boolean): boolean;
  /** Longest wait for the head and between two pieces of the body. */
  idleMs: number;
  signal: AbortSignal;
}

/** A response whose body can be read. */
export interface RangeResponse {
  exchange: Exchange;
  /** Where its bytes begin in the file. */
  start: number;
  /** Whether the server sends ranges: what is missing of this one can be asked for. */
  ranged: boolean;
  /** Size of the whole file; undefined if the server does not tell it. */
  totalBytes: number | undefined;
  /** The tag of the file's content: the hub's own, else the server's. */
  etag: string | undefined;
}

const REDIRECTS_MAX = 8;

/**
 * Requests a range of a file and follows redirects to allowed addresses. Throws `TransientError`
 * for a failure that may pass, else `PullError`, or the signal's reason.
 */
export async function requestRange(request: RangeRequest): Promise<RangeResponse> {
  const { source, signal } = request;
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (request.start > 0 || request.end !== undefined) {
    headers.range = `bytes=${request.start}-${lastByte(request.end)}`;
  }
  if (request.ifRange !== undefined) headers["if-range"] = request.ifRange;
  const origin = URL.parse(source.url)?.origin;
  // The parsed address is both checked and requested: another parser might find another host.
  let url = URL.parse(source.url)?.href ?? source.url;
  let tag: string | undefined;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
    signal.throwIfAborted();
    refuseForeign(url, hop, request);
    const own = source.token !== undefined && URL.parse(url)?.origin === origin;
    const all = own ? { ...headers, authorization: `Bearer ${source.token}` } : headers;
    const sent = await send(url, all, request);
    const head = await sent.head;
    tag ??= headerOf(head, "x-linked-etag");
    const location = headerOf(head, "location");
    if (!REDIRECTS.has(head.status) || location === undefined) {
      return accept(sent, head, { request, url, tag });
    }
    sent.abort(new ClientError("broken", "redirected"));
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
  // The balancer names peers, which serve files themselves.
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

/** Sends a request and waits for the head of its response, at most `idleMs`. */
async function send(
  url: string,
  headers: Record<string, string>,
  { signal, idleMs, source: { fingerprint } }: RangeRequest,
): Promise<Exchange> {
  let sent: Exchange;
  try {
    const route = { url, guarded: true, fingerprint };
    sent = exchange({ ...route, method: "GET", headers, body: null, keepAlive: true });
  } catch (cause) {
    throw new PullError(
      "unreachable",
      `Fetching ${withoutQuery(url)} failed: ${errorMessage(cause)}`,
      cause,
    );
  }
  const error = new TransientError(`no answer within ${idleMs} ms`, {});
  using _ = new ExchangeLimit(sent, { signal, timeout: { ms: idleMs, error } });
  try {
    await sent.head;
    return sent;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ClientError) throw new TransientError(cause.message, { cause });
    throw cause;
  }
}

interface Context {
  request: RangeRequest;
  url: string;
  /** The tag that the hub sent with its redirect. */
  tag: string | undefined;
}

function accept(sent: Exchange, head: ResponseHead, context: Context): RangeResponse {
  const { request, url, tag } = context;
  const own = headerOf(head, "etag");
  const common = { exchange: sent, etag: tag ?? own };
  if (head.status === 200 && isWebPage(head) && !mayBeWebPage(request.source.url)) {
    sent.abort(new ClientError("broken", "refused"));
    throw webPageError(url);
  }
  if (head.status === 200) {
    const totalBytes = head.framing === "length" ? head.length : undefined;
    return { ...common, start: 0, ranged: false, totalBytes };
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(head, "content-range") ?? "");
  if (head.status === 206 && range !== null && Number(range[1]) === request.start) {
    const totalBytes = range[3] === "*" ? undefined : Number(range[3]);
    return { ...common, start: request.start, ranged: true, totalBytes };
  }
  sent.abort(new ClientError("broken", "refused"));
  throw refusal(head, url, request.source);
}
