import { connectionProblem } from "../http/client/failure.ts";
import { retryAfterMs } from "../http/client/retryafter.ts";
import { fetchTls } from "../http/client/trust.ts";
import { guardUrl } from "../http/ssrf.ts";
import { backoffMs } from "../lib/backoff.ts";
import { errorMessage } from "../lib/errormessage.ts";
import type { Logger } from "../lib/log.ts";
import { Semaphore } from "../lib/semaphore.ts";
import { sleep } from "../lib/sleep.ts";
import { isAllowedHost, ownOrigins } from "../storage/pull/allowlist.ts";
import { HubError } from "./huberror.ts";

export interface HubTransportOptions {
  hubUrl: string;
  /** Sent to the hub itself and nowhere else. */
  token: string | null;
  /** Patterns of what may be asked; see `isAllowed`. A mirror that is set always may. */
  allowlist: readonly string[];
  log: Logger;
  /** Longest wait for one try. Default: 10 s. */
  tryMs?: number;
  /** Longest wait for all tries of one request together. Default: 20 s. */
  allMs?: number;
}

/** Requests to the hub are shared by callers: none of them ends one. */
const NEVER = new AbortController().signal;
const TRIES = 3;
const BACKOFF = { firstMs: 300, maxMs: 3000 };
const REDIRECTS_MAX = 5;
const BODY_BYTES_MAX = 32 * 2 ** 20;
/** Attempts at the same time. */
const PARALLEL = 8;
const WAITING_MAX = 1000;
/** The hub is asked again after this long, even if it wants a longer pause. */
const PAUSE_MS_MAX = 300_000;

/**
 * Sends requests to the hub: retries failures that may pass, pauses as long as the hub says, and
 * sends the token to nobody else. Uses Bun's `fetch`, which goes through the machine's proxies;
 * only a few requests run at a time.
 */
export class HubTransport {
  readonly #options: Required<HubTransportOptions>;
  readonly #origin: string;
  #pausedUntil = 0;
  readonly #attempts = new Semaphore(PARALLEL);
  #waiting = 0;

  constructor(options: HubTransportOptions) {
    this.#options = { tryMs: 10_000, allMs: 20_000, ...options };
    this.#origin = new URL(options.hubUrl).origin;
  }

  /**
   * As the global `fetch`, but reads the whole answer. Throws `HubError` for every failure, also
   * for statuses other than 2xx.
   */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const url = input instanceof Request ? input.url : String(input);
    const startedAt = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#attempt(url, init);
      if (result instanceof Response) return result;
      const leftMs = this.#options.allMs - (performance.now() - startedAt);
      const waitMs = Math.max(backoffMs(attempt, BACKOFF), result.retryAfterMs ?? 0);
      if (!result.isPassing || attempt + 1 >= TRIES || waitMs >= leftMs) throw result;
      this.#options.log.debug({ url, attempt, reason: result.message }, "hub.retry");
      await sleep(waitMs, NEVER);
    }
  }

  async #attempt(url: string, init: RequestInit): Promise<Response | HubError> {
    using _ = await this.#permit();
    // Timers may fire a fraction of a millisecond early.
    const pausedMs = Math.floor(this.#pausedUntil - performance.now());
    if (pausedMs > 0) {
      return new HubError("rate_limited", "The hub asked for a pause.", pausedMs);
    }
    try {
      const response = await this.#follow(url, init);
      this.#notePauses(response);
      if (!response.ok) return await this.#refusal(response);
      const body = await readAll(response);
      const headers = new Headers();
      const type = response.headers.get("content-type");
      if (type !== null) headers.set("content-type", type);
      const link = response.headers.get("link");
      if (link !== null) headers.set("link", ownLink(link, this.#options.hubUrl));
      return new Response(body, { status: response.status, headers });
    } catch (cause) {
      if (cause instanceof HubError) return cause;
      const text = errorMessage(cause);
      const why = connectionProblem(cause) ?? text;
      return new HubError("unreachable", `it cannot be reached (${why}).`, undefined, cause);
    }
  }

  /** Sends a request and follows redirects, without the token outside of the hub. */
  async #follow(first: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(this.#options.tryMs);
    let url = first;
    // What is asked first may be the next page, whose address the hub named.
    for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
      const { origin, protocol } = new URL(url);
      this.#requireAllowed(url);
      const headers = new Headers(init.headers);
      headers.set("user-agent", "llmlb");
      headers.delete("authorization");
      const { token } = this.#options;
      if (origin === this.#origin && token !== null) {
        headers.set("authorization", `Bearer ${token}`);
      }
      if (origin !== this.#origin) await guardUrl(url, "repo");
      const response = await fetch(url, {
        ...init,
        ...fetchTls(),
        headers,
        signal,
        redirect: "manual",
      });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) return response;
      await response.body?.cancel();
      const next = URL.parse(location, url);
      if (next === null || (protocol === "https:" && next.protocol !== "https:")) {
        throw new HubError("unreachable", "it redirects to an address that is not safe.");
      }
      url = this.#ownAddress(next).href;
    }
    throw new HubError("unreachable", "it redirects in circles.");
  }

  #requireAllowed(url: string): void {
    const { allowlist, hubUrl } = this.#options;
    if (isAllowedHost(url, [...allowlist, ...ownOrigins(hubUrl)])) return;
    const { origin } = new URL(url);
    throw new HubError("origin", `${origin} is not on the list of allowed origins.`);
  }

  /** The same address at the mirror that is set, if it is one of the public hub itself. */
  #ownAddress(url: URL): URL {
    const isHub = /^(?:www\.)?(?:huggingface\.co|hf\.co)$/.test(url.hostname);
    return isHub ? atHub(url, this.#options.hubUrl) : url;
  }

  /** Pauses if the hub allows no more requests for now (`RateLimit: "api";r=0;t=55`, or 429). */
  #notePauses({ status, headers }: Response): void {
    const [, left, seconds] =
      /;\s*r=(\d+)\s*;\s*t=(\d+)/.exec(headers.get("ratelimit") ?? "") ?? [];
    if (left === "0") this.#pause(Number(seconds) * 1000);
    if (status !== 429) return;
    const retryMs = retryAfterMs(headers.get("retry-after"));
    this.#pause(retryMs ?? (seconds === undefined ? 1000 : Number(seconds) * 1000));
  }

  #pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + Math.min(ms, PAUSE_MS_MAX));
  }

  async #refusal(response: Response): Promise<HubError> {
    const { status, headers } = response;
    const code = headers.get("x-error-code");
    const message = wordsIn(headers.get("x-error-message"));
    const said = message === "" ? "" : `: ${JSON.stringify(message)}`;
    await response.body?.cancel();
    if (status === 429) {
      const pausedMs = Math.max(0, this.#pausedUntil - performance.now());
      return new HubError("rate_limited", "It gets too many requests.", pausedMs);
    }
    if (status >= 500 || status === 408) {
      const retryMs = retryAfterMs(headers.get("retry-after"));
      const waitMs = retryMs === undefined ? undefined : Math.min(retryMs, PAUSE_MS_MAX);
      return new HubError("unreachable", `it answers with status ${status}${said}.`, waitMs);
    }
    if (code === "GatedRepo") return new HubError("gated", message);
    // Files are at other addresses, whose answers say nothing about the repository.
    if (new URL(response.url).origin !== this.#origin) {
      return new HubError("unreachable", `where it redirects to answers with status ${status}.`);
    }
    if (code === "EntryNotFound") return new HubError("file", message);
    if (code === "RevisionNotFound") return new HubError("revision", message);
    // The hub answers 401 for a private repository as well, so as not to reveal it to strangers.
    const isWrongToken = status === 401 && /invalid credentials/i.test(message);
    if (isWrongToken) return new HubError("token", message);
    if (code === "RepoNotFound" || status === 401 || status === 404 || status === 410) {
      return new HubError("repo", message);
    }
    return new HubError("refused", `it answers with status ${status}${said}.`);
  }

  /** Waits until fewer than `PARALLEL` attempts run. Throws `HubError` if too many wait already. */
  async #permit(): Promise<Disposable> {
    if (this.#waiting >= WAITING_MAX) {
      throw new HubError("rate_limited", "Too many questions wait already.", 1000);
    }
    this.#waiting += 1;
    try {
      return await this.#attempts.acquire(NEVER);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** A `Link` header with addresses of the hub that is set: a mirror may pass on the hub's own. */
function ownLink(header: string, hubUrl: string): string {
  return header.replace(/<([^>]*)>/g, (whole, target: string) => {
    const url = URL.parse(target, `${hubUrl}/`);
    return url === null ? whole : `<${atHub(url, hubUrl).href}>`;
  });
}

/** The path and query of an address, at the hub that is set, below the path that this may have. */
function atHub({ pathname, search }: URL, hubUrl: string): URL {
  const base = new URL(hubUrl);
  const prefix = base.pathname.replace(/\/$/, "");
  const path = pathname.startsWith(`${prefix}/`) ? pathname : prefix + pathname;
  return new URL(path + search, base);
}

const WORDS_MAX = 300;

/** The hub's own words about an error, without characters that a terminal would obey. */
function wordsIn(header: string | null): string {
  return (header ?? "")
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, WORDS_MAX);
}

async function readAll(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.byteLength;
    if (size > BODY_BYTES_MAX) throw new HubError("unreachable", "its answer is too large.");
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
