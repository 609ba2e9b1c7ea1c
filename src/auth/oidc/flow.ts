import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What a log-in is bound to between leaving for the provider and coming back. */
export interface OidcFlow {
  /** For a cookie of the browser that began it. */
  cookie: string;
  /** The rest follows from the cookie, and nobody else can tell it. */
  state: string;
  nonce: string;
  /** Of PKCE (RFC 7636). */
  codeVerifier: string;
}

/** How long somebody may take at the provider. */
export const FLOW_MS = 600_000;

/** Makes and reads flows; those of an earlier start of the process are none. */
export class OidcFlows {
  readonly #key = randomBytes(32);

  /** Begins one. */
  begin(now = Date.now()): OidcFlow {
    const seed = `${randomBytes(16).toString("base64url")}.${now + FLOW_MS}`;
    return this.#flowOf(seed);
  }

  /** The flow of a cookie; undefined if it was made up, or is over. */
  read(cookie: string, now = Date.now()): OidcFlow | undefined {
    const [random = "", end = ""] = cookie.split(".");
    const flow = this.#flowOf(`${random}.${end}`);
    const [given, expected] = [Buffer.from(cookie), Buffer.from(flow.cookie)];
    const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs && now < Number(end) ? flow : undefined;
  }

  #flowOf(seed: string): OidcFlow {
    const derive = (what: string) =>
      createHmac("sha256", this.#key).update(`${what} ${seed}`).digest("base64url");
    return {
      cookie: `${seed}.${derive("cookie")}`,
      ...{ state: derive("state"), nonce: derive("nonce"), codeVerifier: derive("verifier") },
    };
  }
}
