import { ClientError } from "./failure.ts";
import type { ForwardProxy } from "./proxy.ts";

/** A place to connect to: what `Bun.connect` needs and what the server is told. */
export interface Address {
  place: { unix: string } | { hostname: string; port: number };
  tls?: { serverName: string };
  /** The `host` header. */
  host: string;
  /** The proxy in between. */
  proxy?: ForwardProxy;
  /** Stands before the path in requests: what a proxy is asked for is a whole URL. */
  prefix?: string;
}

/** How to get to a server, where that is not told by its URL. */
export interface Route {
  /** Where to connect, instead of what the name resolves to at that moment. */
  ip?: string | undefined;
  /** Through which proxy. */
  proxy?: ForwardProxy | undefined;
}

/** A URL cut into what says where to connect and what to ask for there. */
export interface SplitUrl {
  origin: string;
  /** Path and query. */
  path: string;
}

const PLAIN_PATH = /^\/[\x21\x22\x24-\x7e]*$/;

/**
 * Cuts a URL without parsing it all, because that is dear and the part that differs from request
 * to request rarely needs it. Throws `ClientError` for what is no URL.
 */
export function splitUrl(url: string): SplitUrl {
  const slash = url.indexOf("/", url.indexOf("//") + 2);
  const path = url.slice(slash);
  if (slash > 0 && PLAIN_PATH.test(path)) return { origin: url.slice(0, slash), path };
  const { origin, pathname, search } = parse(url);
  return { origin, path: pathname + search };
}

/**
 * The address of an origin, or of a Unix socket. With `ip`, the origin's name is not looked up:
 * that is where to connect, while certificate and `host` header stay those of the name. With
 * `proxy`, that one looks it up. Throws `ClientError` for other schemes.
 */
export function addressOf(
  origin: string,
  unix: string | undefined,
  { ip, proxy }: Route = {},
): Address {
  const { protocol, hostname, port, host } = parse(origin);
  if (unix !== undefined) return { place: { unix }, host };
  if (protocol !== "http:" && protocol !== "https:") {
    throw new ClientError(
      "bad_request",
      `Connecting failed: ${protocol} is neither http nor https.`,
    );
  }
  const secure = protocol === "https:";
  const name = hostname.replace(/^\[|\]$/g, "");
  const number = port === "" ? (secure ? 443 : 80) : Number(port);
  if (proxy !== undefined && !secure) return { place: placeOf(proxy), host, proxy, prefix: origin };
  const place = { hostname: ip ?? name, port: number };
  if (proxy !== undefined) return { place, tls: { serverName: name }, host, proxy };
  return secure ? { place, tls: { serverName: name }, host } : { place, host };
}

function placeOf({ hostname, port }: ForwardProxy) {
  return { hostname, port };
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch (cause) {
    throw new ClientError("bad_request", "Connecting failed: the address is no URL.", cause);
  }
}
