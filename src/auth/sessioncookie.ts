import { timingSafeEqual } from "node:crypto";
import { SAFE_METHODS } from "../http/server/origin.ts";
import { calledOrigin } from "../http/server/peer.ts";
import type { Scope } from "../http/server/scope.ts";
import { CSRF_COOKIE, LOGIN_FAILURE_COOKIE } from "../wire/login.ts";
import { credentialOf } from "./credential.ts";
import { csrfTokenOf, isSessionToken } from "./livesessions.ts";
import { FLOW_MS } from "./oidc/flow.ts";

const NAME = "llmlb_session";
/** No other host, nor what is not encrypted, can set a cookie of this name (RFC 6265bis). */
const SECURE_NAME = `__Host-${NAME}`;
const OIDC_NAME = "llmlb_oidc";
const OIDC_PATH = "/api/auth/oidc";
/** The session itself may end before. */
const AGE_S = 30 * 24 * 3600;

/** The session token of a request: in `Authorization`, else in its cookies. */
export function sessionTokenOf(scope: Scope): string | undefined {
  const { headers, url } = scope.req.raw;
  const credential = credentialOf(headers, url) ?? "";
  return isSessionToken(credential) ? credential : sessionCookieOf(scope);
}

/** The session token in a request's cookies. */
export function sessionCookieOf(scope: Scope): string | undefined {
  const cookies = scope.req.raw.headers.get("cookie");
  // Most requests have none.
  if (cookies === null || !cookies.includes(NAME)) return undefined;
  return cookieOf(cookies, isSecure(scope) ? SECURE_NAME : NAME);
}

/** The value of a cookie; of several with this name the first, which is of the longest path. */
function cookieOf(cookies: string, name: string): string | undefined {
  const start = `${name}=`;
  const found = cookies.split(";").find((pair) => pair.trim().startsWith(start));
  return found?.trim().slice(start.length);
}

/** The `Set-Cookie` headers that make a browser log in, under https for https alone. */
export function sessionCookies(scope: Scope, token: string): string[] {
  return cookies(scope, token, csrfTokenOf(token), AGE_S);
}

/** Those that make it forget the log-in. */
export function endedCookies(scope: Scope): string[] {
  return cookies(scope, "", "", 0);
}

/** What the browser keeps while somebody is at the OpenID Connect provider; "" makes it forget. */
export function oidcCookie(scope: Scope, value: string): string {
  const ageS = value === "" ? 0 : FLOW_MS / 1000;
  const rest = `Path=${OIDC_PATH}; Max-Age=${ageS}; SameSite=Lax; HttpOnly`;
  return `${OIDC_NAME}=${value}; ${rest}${isSecure(scope) ? "; Secure" : ""}`;
}

/** The same, when he comes back. */
export function oidcCookieOf(scope: Scope): string | undefined {
  return cookieOf(scope.req.raw.headers.get("cookie") ?? "", OIDC_NAME);
}

/** Why a log-in elsewhere failed: the log-in page shows it, and makes the browser forget it. */
export function loginFailureCookie(scope: Scope, message: string): string {
  const value = encodeURIComponent(message.slice(0, 300).toWellFormed());
  const rest = "Path=/dashboard; Max-Age=60; SameSite=Lax";
  return `${LOGIN_FAILURE_COOKIE}=${value}; ${rest}${isSecure(scope) ? "; Secure" : ""}`;
}

function cookies(scope: Scope, token: string, csrf: string, ageS: number): string[] {
  const isHttps = isSecure(scope);
  const rest = `Path=/; Max-Age=${ageS}; SameSite=Lax${isHttps ? "; Secure" : ""}`;
  const name = isHttps ? SECURE_NAME : NAME;
  return [`${name}=${token}; ${rest}; HttpOnly`, `${CSRF_COOKIE}=${csrf}; ${rest}`];
}

/** Whether the browser talks https to us, or to a trusted proxy in front. */
function isSecure(scope: Scope): boolean {
  return calledOrigin(scope).startsWith("https:");
}

/**
 * Whether a request with this session's cookie was not made by another site: it changes nothing, or
 * has the token that only pages of this one can read.
 */
export function isOwnPage(scope: Scope, token: string): boolean {
  const { method, headers } = scope.req.raw;
  if (SAFE_METHODS.has(method)) return true;
  const given = Buffer.from(headers.get("x-csrf-token") ?? "");
  const expected = Buffer.from(csrfTokenOf(token));
  return given.length === expected.length && timingSafeEqual(given, expected);
}
