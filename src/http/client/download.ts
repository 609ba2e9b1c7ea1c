import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { withDeadline } from "../../lib/deadline.ts";
import { portOf } from "../../lib/host.ts";
import { isPrivateAddress, isRefusedHost, isRefusedPort } from "../ssrf.ts";
import { type Exchange, exchange } from "./exchange.ts";
import { ExchangeLimit } from "./exchangelimit.ts";
import { ClientError } from "./failure.ts";
import { headerOf, type ResponseHead } from "./head.ts";

export interface DownloadOptions {
  /** Private and loopback addresses may be called as well. */
  allowPrivate: boolean;
  /** Largest body that is taken. */
  limitBytes: number;
  /** Ends the download; it is also the caller's time limit. */
  signal: AbortSignal;
  /** Sent as `accept`. */
  accept: string;
}

/** What was fetched, or why not; `reason` may be shown to the client that named the URL. */
export type Download =
  | { ok: true; bytes: Uint8Array; contentType: string }
  | { ok: false; why: "failed"; reason: string }
  /** `bytes`: its declared length, or the bytes that had come when it was given up. */
  | { ok: false; why: "too_large"; bytes: number };

/** Redirects that are followed, at most. */
const REDIRECTS_MAX = 3;
const URL_CHARS_MAX = 8192;
/** Addresses of one name that are tried, at most. */
const ADDRESSES_MAX = 3;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type Failed = Extract<Download, { ok: false }>;
type Step = { at: "end"; download: Download } | { at: "redirect"; location: string };

/**
 * Fetches a URL that a client named. Its host name is looked up once, all addresses of it must be
 * allowed, and the connection goes to a checked address: a name that resolves to another address a
 * moment later changes nothing. Redirects are checked in the same way. Rejects only with the reason
 * of `signal`.
 */
export async function download(url: string, options: DownloadOptions): Promise<Download> {
  let address = url;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const step = await visit(address, options);
    if (step.at === "end") return step.download;
    address = URL.parse(step.location, address)?.href ?? "";
  }
  return failed(`it is redirected more than ${REDIRECTS_MAX} times`);
}

async function visit(address: string, options: DownloadOptions): Promise<Step> {
  const { signal } = options;
  const end = (download: Download): Step => ({ at: "end", download });
  const url = address.length > URL_CHARS_MAX ? null : URL.parse(address);
  if (url === null) return end(failed("its address is no URL"));
  if (!/^https?:$/.test(url.protocol)) {
    return end(failed(`${url.protocol} is neither http nor https`));
  }
  if (isRefusedPort(Number(portOf(url)))) {
    return end(failed(`nothing is fetched from port ${portOf(url)}, which is not one of HTTP`));
  }
  const found = await unlessAborted(placesOf(url, options.allowPrivate), signal);
  if (!("places" in found)) return end(found);
  for (const [index, ip] of found.places.entries()) {
    try {
      return await request(url, ip, options);
    } catch (cause) {
      signal.throwIfAborted();
      if (!(cause instanceof ClientError)) throw cause;
      const last = index === found.places.length - 1;
      if (last || cause.code !== "connect") return end(failed(WORDS[cause.code] ?? "it broke off"));
    }
  }
  return end(failed("its name has no address"));
}

const WORDS: Partial<Record<string, string>> = {
  connect: "no connection could be made",
  certificate: "its certificate is not valid",
  malformed: "the answer is no HTTP",
};

/** The addresses to connect to, all of them allowed. */
async function placesOf(url: URL, allowPrivate: boolean): Promise<{ places: string[] } | Failed> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isRefusedHost(host)) return failed("its address is not allowed");
  const places = isIP(host) === 0 ? await resolved(host) : [host];
  if (places.length === 0) return failed("its name does not resolve");
  for (const place of places) {
    if (isRefusedHost(place)) return failed("its address is not allowed");
    if (!allowPrivate && isPrivateAddress(place)) {
      return failed("private and loopback addresses are not allowed here");
    }
  }
  return { places: places.slice(0, ADDRESSES_MAX) };
}

async function resolved(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return []; // Why it did not resolve does not matter: there is no address.
  }
}

async function request(url: URL, ip: string, options: DownloadOptions): Promise<Step> {
  const { signal, limitBytes, accept } = options;
  signal.throwIfAborted();
  const headers = { accept, "accept-encoding": "identity" };
  const place = { url: url.origin + url.pathname + url.search, ip };
  const sent = exchange({ ...place, method: "GET", headers, body: null, keepAlive: false });
  using _ = new ExchangeLimit(sent, { signal });
  try {
    const head = await sent.head;
    const location = REDIRECTS.has(head.status) ? headerOf(head, "location") : undefined;
    if (location !== undefined) return { at: "redirect", location };
    return { at: "end", download: refusalOf(head, limitBytes) ?? (await read(sent, limitBytes)) };
  } finally {
    // Nobody reads the rest. Without effect on an answer that is complete.
    sent.abort(new ClientError("broken", "Reading the answer failed: it was given up."));
  }
}

function refusalOf(head: ResponseHead, limitBytes: number): Failed | undefined {
  if (head.status !== 200) return failed(`the server answered HTTP ${head.status}`);
  const coding = headerOf(head, "content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") return failed("the server sent it compressed");
  const declared = head.framing === "length" ? head.length : 0;
  if (declared <= limitBytes) return undefined;
  return { ok: false, why: "too_large", bytes: declared };
}

async function read(sent: Exchange, limitBytes: number): Promise<Download> {
  const contentType = headerOf(await sent.head, "content-type") ?? "";
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = await sent.read();
    if (piece === undefined) return { ok: true, bytes: Buffer.concat(pieces, size), contentType };
    pieces.push(piece);
    size += piece.byteLength;
    if (size > limitBytes) return { ok: false, why: "too_large", bytes: size };
  }
}

/** A look-up cannot be ended, but its caller need not wait for it. */
async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const outcome = await withDeadline(result, { signal });
  if (outcome === "aborted" || outcome === "timeout") throw signal.reason;
  return outcome;
}

function failed(reason: string): Failed {
  return { ok: false, why: "failed", reason };
}
