import { LOCAL_ORIGINS } from "../../config/values/origin.ts";
import { hostOf, isLoopbackHost } from "../../lib/host.ts";

/** What pages may read of an answer besides what they always may. */
const EXPOSED = [
  ...["x-request-id", "request-id", "location", "allow", "retry-after", "x-should-retry"],
  ...["x-queue-status", "x-queue-wait-ms"],
].join(", ");

const ALLOWED = "access-control-allow-origin";

/** Browsers ask again after this; some keep it for less. */
const PREFLIGHT_S = "600";

/**
 * Which pages in browsers may use this server (the CORS protocol of the Fetch standard): those of
 * the origins that are allowed, `local` being those that this machine serves, and `*` any. Cookies
 * are not part of it: there are none.
 */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed` in lower case, as `originList` reads them. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** Says in an answer's headers that the page which asked may have it, if it may. Idempotent. */
  tell({ method, headers: asked }: Request, response: Response): void {
    const origin = asked.get("origin");
    // Touching the headers of a response is not free, and most requests come from no page.
    if (origin === null) return;
    const answer = response.headers;
    if (answer.has(ALLOWED) || !this.#allows(origin)) return;
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
    if (allowed.has("*") || allowed.has(origin.toLowerCase())) return true;
    return allowed.has(LOCAL_ORIGINS) && isLocal(origin);
  }
}

function isLocal(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return isLoopbackHost(hostOf(url));
}
