import { LOCAL_ORIGINS } from "../../config/values/origin.ts";
import { hostOf, isLoopbackHost } from "../../lib/host.ts";
import { ApiError } from "../../wire/error.ts";
import { isForOperators } from "../../wire/route.ts";

/** What pages may read of an answer besides what they always may. */
const EXPOSED = [
  ...["x-request-id", "request-id", "location", "allow", "retry-after", "x-should-retry"],
  ...["x-queue-status", "x-queue-wait-ms", "x-llmlb-endpoint", "x-llmlb-model"],
].join(", ");

const ALLOWED = "access-control-allow-origin";

/** Browsers ask again after this; some keep it for less. */
const PREFLIGHT_S = "600";

/** Methods that change nothing and start nothing (RFC 9110, 9.2.1); `OPTIONS` is the preflight. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Most characters of an origin that an error repeats. */
const SHOWN_CHARS_MAX = 200;

/**
 * Which pages in browsers may use this server (the CORS protocol of the Fetch standard): its own,
 * and those of the origins that are allowed, `local` being those that this machine serves,
 * `scheme://*` all of a scheme, and `*` any. Management is for its own pages alone, whatever is
 * allowed. Cookies of log-ins are never let travel from elsewhere.
 */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed` in lower case, as `originList` reads them. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /**
   * Refuses what a page may not send. Browsers ask first (CORS) before a page sends JSON elsewhere,
   * but forms and plain text they send at once: the page cannot read the answer, and has spent the
   * operator's money all the same. Who may:
   *
   * 1. anybody, by a method that only reads
   * 2. a page of this server itself: `Sec-Fetch-Site`, which pages cannot set, says so, or its
   *    origin is what it was called by
   * 3. without an `Origin`: programs; a page only if an old browser sends it nothing of the kind
   * 4. a page of an origin that is allowed, unless this is management
   *
   * `path` is the path as it is routed, `called` the URL under which the client called this server.
   * Throws 403 `origin_not_allowed`.
   */
  require({ method, headers, url }: Request, path = pathOf(url), called = () => url): void {
    if (SAFE_METHODS.has(method)) return;
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    if (origin === null && site === null) return;
    if (site === "same-origin" || site === "none") return;
    if (origin !== null) {
      if (isSame(origin, called())) return;
      if (!isForOperators(path) && this.#allows(origin)) return;
    }
    throw refusal(origin ?? "another site", path);
  }

  /** Says in an answer's headers that the page which asked may have it, if it may. Idempotent. */
  tell({ method, headers: asked, url }: Request, response: Response, path = pathOf(url)): void {
    const origin = asked.get("origin");
    // Touching the headers of a response is not free, and most requests come from no page.
    if (origin === null) return;
    const answer = response.headers;
    if (answer.has(ALLOWED) || isForOperators(path) || !this.#allows(origin)) return;
    answer.set(ALLOWED, origin);
    answer.append("vary", "origin");
    const wanted = asked.get("access-control-request-method");
    if (method !== "OPTIONS" || wanted === null) {
      answer.set("access-control-expose-headers", EXPOSED);
      return;
    }
    answer.set("access-control-allow-methods", answer.get("allow") ?? wanted);
    answer.set("access-control-max-age", PREFLIGHT_S);
    const names = asked.get("access-control-request-headers");
    if (names !== null) answer.set("access-control-allow-headers", names);
    if (asked.get("access-control-request-private-network") !== null) {
      answer.set("access-control-allow-private-network", "true");
    }
  }

  #allows(origin: string): boolean {
    const allowed = this.#allowed;
    const given = origin.toLowerCase();
    if (allowed.has("*") || allowed.has(given)) return true;
    if (allowed.has(given.replace(/:\/\/.*$/, "://*"))) return true;
    return allowed.has(LOCAL_ORIGINS) && isLocal(origin);
  }
}

/** Whether an origin is the server that was called. A proxy in between may have ended its TLS. */
function isSame(origin: string, called: string): boolean {
  const url = URL.parse(origin);
  const host = URL.parse(called)?.host;
  return url !== null && host !== "" && URL.parse(`${url.protocol}//${host}`)?.host === url.host;
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}

function refusal(origin: string, path: string): ApiError {
  const shown = origin.slice(0, SHOWN_CHARS_MAX);
  const what = `The request was refused: a page of ${shown} sent it, which may not`;
  const message = isForOperators(path)
    ? `${what} manage this llmlb: only its own pages may, whatever --allowed-origins says. Use its \
own address, or a program.`
    : `${what} use this llmlb. If it should, allow its origin with --allowed-origins (or \
LLMLB_ALLOWED_ORIGINS, or allowed_origins in config.json).`;
  return new ApiError("forbidden", message, { code: "origin_not_allowed" });
}

function isLocal(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return isLoopbackHost(hostOf(url));
}
