import { isRefusedHost } from "../ssrf.ts";
import { ClientError } from "./failure.ts";
import type { ForwardProxy } from "./proxy.ts";

/** Who has to answer on a TLS connection. */
export interface ServerIdentity {
  /** The name that the certificate has to be for. */
  serverName: string;
  /** Its certificate's fingerprint, which then counts alone; see `judge`. */
  fingerprint?: string;
}

/** Where to connect, as `Bun.connect` needs it, and what the server is told of it. */
export interface Address {
  place: { unix: string } | { hostname: string; port: number };
  tls?: ServerIdentity;
  /** The `host` header. */
  host: string;
  /** The proxy in between. */
  proxy?: ForwardProxy;
  /** The name may only lead to addresses that are no secret door; see `guardedAddresses`. */
  guarded?: boolean;
  /** Put before the path in requests, because a proxy is asked for a whole URL. */
  prefix?: string;
}

/** The way to a server, where its URL alone does not say it. */
export interface Route {
  /** The address to connect to. Default: what the name resolves to. */
  ip?: string | undefined;
  /** Default: no proxy. */
  proxy?: ForwardProxy | undefined;
  /**
   * Never connects to link-local and metadata addresses: a name is looked up and checked for each
   * connection. A proxy looks names up itself. Default: connects wherever the name leads.
   */
  guarded?: boolean | undefined;
  /** The only certificate that is accepted, by its fingerprint. Default: any valid one. */
  fingerprint?: string | undefined;
}

/** A URL cut into the server and what to request there. */
export interface SplitUrl {
  origin: string;
  /** Path and query. */
  path: string;
}

const PLAIN_PATH = /^\/[\x21\x22\x24-\x7e]*$/;

/**
 * Cuts a URL, without parsing it where its path is plain: parsing costs time in every request.
 * Throws `ClientError` for text that is no URL.
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
 * the connection goes to `ip`, but certificate and `host` header are those of the name. With
 * `proxy`, the proxy looks the name up. Throws `ClientError` for other schemes than http(s).
 */
export function addressOf(
  origin: string,
  unix: string | undefined,
  { ip, proxy, guarded = false, fingerprint }: Route = {},
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
  if (guarded && isRefusedHost(name)) throw refusedAddress(name);
  const number = port === "" ? (secure ? 443 : 80) : Number(port);
  if (proxy !== undefined && !secure) return { place: placeOf(proxy), host, proxy, prefix: origin };
  const place = { hostname: ip ?? name, port: number };
  const tls = { serverName: name, ...(fingerprint === undefined ? {} : { fingerprint }) };
  if (proxy !== undefined) return { place, tls, host, proxy };
  const way = { place, host, guarded };
  return secure ? { ...way, tls } : way;
}

/** Why a guarded connection is not made. */
export function refusedAddress(host: string): ClientError {
  const message = `Connecting failed: the address of ${host} is refused, because link-local and \
metadata addresses are not called (--allow-metadata-addresses, for endpoints).`;
  return new ClientError("connect", message);
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
