import { guardUrl } from "../http/ssrf.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Logger } from "../lib/log.ts";
import { HubError } from "./failure.ts";

export interface TransportOptions {
  hubUrl: string;
  /** Sent to the hub itself and nowhere else. */
  token: string | null;
  log: Logger;
  /** Longest wait for one try. Default: 10 s. */
  tryMs?: number;
  /** Longest wait for all tries of one request together. Default: 20 s. */
  allMs?: number;
}

const TRIES = 3;
const BACKOFF = { firstMs: 300, maxMs: 3000 };
const REDIRECTS_MAX = 5;
const BODY_BYTES_MAX = 32 * 2 ** 20;
/** Requests at the same time. */
const PARALLEL = 8;
const WAITING_MAX = 1000;
/** However long the hub wants to be left alone: after that it is asked again. */
const PAUSE_MS_MAX = 300_000;

/**
 * Asks the hub: tries again what may pass, waits as long as the hub says, and shows the token to
 * nobody else. Bun's `fetch` is right here, since it goes through the machine's proxies and only a
 * few requests run at a time.
 */
export class Transport {
  readonly #options: Required<TransportOptions>;
  readonly #origin: string;
  #pausedUntil = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: TransportOptions) {
    this.#options = { tryMs: 10_000, allMs: 20_000, ...options };
    this.#origin = new URL(options.hubUrl).origin;
  }

  /**
   * As `fetch`, for answers that are read whole. Statuses other than 2xx and whatever else goes
   * wrong are a `HubError`.
   */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const url = input instanceof Request ? input.url : String(input);
    const startedAt = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      const error = await this.#inTurn(() => this.#attempt(url, init));
      if (error instanceof Response) return error;
      const leftMs = this.#options.allMs - (performance.now() - startedAt);
      const waitMs = Math.max(backoffMs(attempt, BACKOFF), error.retryAfterMs ?? 0);
      if (!error.isPassing || attempt + 1 >= TRIES || waitMs >= leftMs) throw error;
      this.#options.log.debug({ url, attempt, reason: error.message }, "hub.retry");
      await Bun.sleep(waitMs);
    }
  }

  async #attempt(url: string, init: RequestInit): Promise<Response | HubError> {
    // Timers may fire a fraction of a millisecond early.
    const pausedMs = Math.floor(this.#pausedUntil - performance.now());
    if (pausedMs > 0) {
      return new HubError("rate_limited", "The hub asked for a pause.", pausedMs);
    }
    try {
      const response = await this.#follow(url, init);
      this.#heed(response);
      if (!response.ok) return await this.#refusal(response);
      const body = await readAll(response);
      const headers = new Headers();
      for (const name of ["content-type", "link"]) {
        const value = response.headers.get(name);
        if (value !== null) headers.set(name, value);
      }
      return new Response(body, { status: response.status, headers });
    } catch (cause) {
      if (cause instanceof HubError) return cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      return new HubError("unreachable", `it cannot be reached (${why}).`, undefined, cause);
    }
  }

  /** Follows redirects by itself: the token is for the hub alone. */
  async #follow(first: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(this.#options.tryMs);
    let url = first;
    for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
      const { origin } = new URL(url);
      const headers = new Headers(init.headers);
      headers.set("user-agent", "llmlb");
      headers.delete("authorization");
      const { token } = this.#options;
      if (origin === this.#origin && token !== null) {
        headers.set("authorization", `Bearer ${token}`);
      }
      if (origin !== this.#origin) await guardUrl(url, "repo");
      const response = await fetch(url, { ...init, headers, signal, redirect: "manual" });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) return response;
      await response.body?.cancel();
      const next = URL.parse(location, url);
      if (next === null || (url.startsWith("https:") && next.protocol !== "https:")) {
        throw new HubError("unreachable", "it redirects to an address that is not safe.");
      }
      url = next.href;
    }
    throw new HubError("unreachable", "it redirects in circles.");
  }

  /** Takes note of how many requests the hub still allows (`RateLimit: "api";r=0;t=55`). */
  #heed({ status, headers }: Response): void {
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
    const told = headers.get("x-error-message") ?? "";
    await response.body?.cancel();
    if (status === 429) {
      const pausedMs = Math.max(0, this.#pausedUntil - performance.now());
      return new HubError("rate_limited", "It gets too many requests.", pausedMs);
    }
    if (status >= 500 || status === 408) {
      const waitMs = retryAfterMs(headers.get("retry-after"));
      return new HubError("unreachable", `it answers with status ${status}.`, waitMs);
    }
    if (code === "GatedRepo") return new HubError("gated", told);
    // Files are elsewhere: what is answered there says nothing about the repository.
    if (new URL(response.url).origin !== this.#origin) {
      return new HubError("unreachable", `where it redirects to answers with status ${status}.`);
    }
    if (status === 403 && this.#options.token !== null) return new HubError("token", told);
    if (code === "EntryNotFound") return new HubError("file", told);
    if (code === "RevisionNotFound") return new HubError("revision", told);
    // Strangers are not told which private repositories there are: it is 401 for those, too.
    const isWrongToken = status === 401 && /invalid credentials/i.test(told);
    if (isWrongToken) return new HubError("token", told);
    if (code === "RepoNotFound" || status === 401 || status === 404 || status === 410) {
      return new HubError("repo", told);
    }
    return new HubError("unreachable", `it answers with status ${status}.`);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= PARALLEL) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw new HubError("rate_limited", "Too many questions wait already.", 1000);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits first takes over this place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** Seconds or a date (RFC 9110, 10.2.3) as a wait from now. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Math.min(Number(value) * 1000, PAUSE_MS_MAX);
  const at = Date.parse(value);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, at - Date.now()), PAUSE_MS_MAX);
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
