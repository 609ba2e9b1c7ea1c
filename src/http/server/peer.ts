import { isLoopback } from "../../config/loopback.ts";
import type { Scope } from "./scope.ts";

/** The IP address of a request's client, behind trusted proxies; undefined once that is gone. */
export function peerOf(scope: Scope): string | undefined {
  const known = scope.get("peer");
  if (known !== undefined) return known;
  const peer = lookUp(scope);
  if (peer !== undefined) scope.set("peer", peer);
  return peer;
}

function lookUp(scope: Scope): string | undefined {
  const { raw } = scope.req;
  const address = scope.env?.server?.requestIP(raw)?.address;
  if (address === undefined) return undefined;
  const proxies = scope.get("proxies");
  if (proxies?.has(address) !== true) return address;
  return proxies.clientIn(raw.headers.get("x-forwarded-for")) ?? address;
}

/** What proxies add to requests, each some of it. */
const PROXY_HEADERS = [
  ...["forwarded", "via", "x-real-ip"],
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
] as const;

/**
 * Whether a program of this machine sent a request itself: the connection comes from loopback, and
 * neither a trusted proxy made it nor does a header tell of one.
 */
export function isDirectFromHere(scope: Scope): boolean {
  const { raw } = scope.req;
  const address = scope.env?.server?.requestIP(raw)?.address;
  if (address === undefined || !isLoopback(address)) return false;
  if (scope.get("proxies")?.has(address) === true) return false;
  return !PROXY_HEADERS.some((name) => raw.headers.has(name));
}

/**
 * The origin under which a client called this server: by the word of a trusted proxy
 * (`X-Forwarded-Proto`, `X-Forwarded-Host`), else by the request's own URL.
 */
export function calledOrigin(scope: Scope): string {
  const { raw, url } = scope.req;
  const own = new URL(url);
  const address = scope.env?.server?.requestIP(raw)?.address;
  if (address === undefined || scope.get("proxies")?.has(address) !== true) return own.origin;
  const scheme = lastOf(raw.headers.get("x-forwarded-proto"))?.toLowerCase();
  const host = lastOf(raw.headers.get("x-forwarded-host")) ?? own.host;
  const isScheme = scheme === "http" || scheme === "https";
  const called = URL.parse(`${isScheme ? scheme : own.protocol.slice(0, -1)}://${host}`);
  return called?.host === "" || called?.pathname !== "/" ? own.origin : called.origin;
}

/** What the nearest proxy said, which is the one that is trusted. */
function lastOf(header: string | null): string | undefined {
  return header?.split(",").at(-1)?.trim() || undefined;
}
