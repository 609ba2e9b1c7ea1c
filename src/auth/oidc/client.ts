import type * as OpenId from "openid-client";
import type { OidcSettings } from "../../config/fields/oidc.ts";
import { fetchTls } from "../../http/client/trust.ts";
import { ApiError } from "../../wire/error.ts";
import type { Claims } from "./claims.ts";
import type { OidcFlow } from "./flow.ts";

type OidcClientSettings = OidcSettings & { oidcIssuer: string; oidcClientId: string };

const TIMEOUT_S = 10;
/** Providers change their addresses rarely; keys are looked up when one is missing. */
const DISCOVERED_MS = 3_600_000;

/**
 * Talks to one OpenID Connect provider: authorization code with PKCE, state and nonce. The library
 * is loaded when somebody logs in, and the provider asked where its parts are.
 */
export class OidcClient {
  readonly #settings: OidcClientSettings;
  #found: { config: OpenId.Configuration; at: number } | undefined;

  constructor(settings: OidcClientSettings) {
    this.#settings = settings;
  }

  /** Where the browser is to go. Throws 502 if the provider cannot be asked. */
  async authorizationUrl(flow: OidcFlow, redirectUri: string): Promise<string> {
    const library = await import("openid-client");
    const config = await this.#discover(library);
    const url = library.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: this.#settings.oidcScopes,
      code_challenge: await library.calculatePKCECodeChallenge(flow.codeVerifier),
      code_challenge_method: "S256",
      ...{ state: flow.state, nonce: flow.nonce },
    });
    return url.href;
  }

  /**
   * Who came back to `url`, the whole of it, as the provider says. Throws 401 if the provider, or
   * one of the checks, refuses it; 502 if the provider cannot be asked.
   */
  async claimsOf(flow: OidcFlow, url: URL): Promise<Claims> {
    const library = await import("openid-client");
    const config = await this.#discover(library);
    try {
      const tokens = await library.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: flow.codeVerifier,
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error("there is no ID token");
      const { userinfo_endpoint } = config.serverMetadata();
      if (userinfo_endpoint === undefined) return claims;
      // Some providers tell the groups of somebody only there.
      const more = await library.fetchUserInfo(config, tokens.access_token, claims.sub);
      return { ...more, ...claims };
    } catch (cause) {
      throw refused(cause);
    }
  }

  async #discover(library: typeof OpenId): Promise<OpenId.Configuration> {
    const found = this.#found;
    if (found !== undefined && performance.now() - found.at < DISCOVERED_MS) return found.config;
    const { oidcIssuer, oidcClientId, oidcClientSecret } = this.#settings;
    const execute = oidcIssuer.startsWith("http:") ? [library.allowInsecureRequests] : [];
    try {
      const config = await library.discovery(
        new URL(oidcIssuer),
        oidcClientId,
        undefined,
        authenticationOf(library, oidcClientSecret),
        { execute, timeout: TIMEOUT_S, [library.customFetch]: fetchAsBelieved },
      );
      this.#found = { config, at: performance.now() };
      return config;
    } catch (cause) {
      const message = `Logging in failed: the OpenID Connect provider ${oidcIssuer} could not be \
asked: ${reasonOf(cause)}. Look at --oidc-issuer.`;
      throw new ApiError("upstream", message, { code: "oidc_unreachable", cause });
    }
  }
}

/** As `fetch`, with the authorities of `--tls-ca`: companies often have one for their provider. */
function fetchAsBelieved(url: string, options: object): Promise<Response> {
  return fetch(url, { ...options, ...fetchTls() });
}

/** How the client proves itself: in the body if the provider says so, else as HTTP's Basic. */
function authenticationOf(library: typeof OpenId, secret: string | null): OpenId.ClientAuth {
  if (secret === null) return library.None();
  const [post, basic] = [library.ClientSecretPost(secret), library.ClientSecretBasic(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    return (methods.includes("client_secret_post") ? post : basic)(server, ...rest);
  };
}

function refused(cause: unknown): ApiError {
  const message = `Logging in failed: the OpenID Connect provider's answer was not accepted: \
${reasonOf(cause)}. Begin again at /api/auth/oidc/login.`;
  return new ApiError("unauthorized", message, { code: "oidc_refused", cause });
}

/** The reason of the innermost error; what the provider says itself, if it does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = (error as { error_description?: unknown }).error_description;
  if (typeof said === "string") return said.slice(0, 300);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
