import type { MiddlewareHandler } from "hono";
import type { OidcLogin } from "../../../auth/oidc/oidclogin.ts";
import type { Auth } from "../../../auth/open.ts";
import {
  loginFailureCookie,
  oidcCookie,
  oidcCookieOf,
  sessionCookies,
} from "../../../auth/sessioncookie.ts";
import type { App } from "../../../http/server/app.ts";
import { wantsPage } from "../../../http/server/browserheaders.ts";
import { calledOrigin } from "../../../http/server/peer.ts";
import type { AppContext, AppEnv } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import { noteLogin, visitorOf } from "./login.ts";

export type OidcRouteParts = Pick<Auth, "login" | "oidc">;

const CALLBACK = "/api/auth/oidc/callback";
/** Where people go who have logged in. */
const HOME = "/dashboard";

/** Logging in by OpenID Connect: browsers are sent to the provider, and come back with a code. */
export function routeOidc(app: App, parts: OidcRouteParts): void {
  const { login } = parts;

  app.get("/api/auth/oidc/login", failOnPage, async (c) => {
    const oidc = requireOidc(parts);
    login.requireAccess();
    const flow = oidc.flows.begin();
    const url = await oidc.client.authorizationUrl(flow, calledOrigin(c) + CALLBACK);
    return redirect(c, url, [oidcCookie(c, flow.cookie)]);
  });

  app.get(CALLBACK, failOnPage, async (c) => {
    noteLogin(c);
    const oidc = requireOidc(parts);
    const flow = oidc.flows.read(oidcCookieOf(c) ?? "");
    if (flow === undefined) {
      const message = `Logging in failed: this browser did not begin it, or more than 10 minutes \
ago. Begin again at /api/auth/oidc/login.`;
      throw new ApiError("unauthorized", message, { code: "oidc_refused" });
    }
    const url = new URL(calledOrigin(c) + CALLBACK);
    url.search = new URL(c.req.url).search;
    const user = await oidc.userOf(await oidc.client.claimsOf(flow, url));
    noteLogin(c, user);
    const { token } = await login.start(user, visitorOf(c));
    return redirect(c, HOME, [...sessionCookies(c, token), oidcCookie(c, "")]);
  });
}

/**
 * Leads a browser whose log-in failed to the log-in page, which shows why. Its status stays that of
 * the failure; programs get the error as JSON.
 */
const failOnPage: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const failure = c.get("failure");
  if (failure === undefined || !wantsPage(c.req.raw)) return;
  const page = `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=${HOME}">
<title>llmlb</title>
<p>${Bun.escapeHTML(failure.message)}</p>
<p><a href="${HOME}">Log in</a></p>
`;
  const headers = new Headers({ "content-type": "text/html; charset=utf-8" });
  headers.set("cache-control", "no-store");
  headers.set("set-cookie", loginFailureCookie(c, failure.message));
  c.res = undefined; // Else its headers, those of JSON, would win.
  c.res = new Response(page, { status: failure.status, headers });
};

function requireOidc({ oidc }: OidcRouteParts): OidcLogin {
  if (oidc !== undefined) return oidc;
  const message = `Nobody logs in by OpenID Connect here: it is not set. Start llmlb with \
--oidc-issuer and --oidc-client-id.`;
  throw new ApiError("not_found", message, { code: "oidc_not_configured" });
}

function redirect(c: AppContext, url: string, cookies: string[]): Response {
  for (const cookie of cookies) c.header("set-cookie", cookie, { append: true });
  c.header("cache-control", "no-store");
  return c.redirect(url, 302);
}
