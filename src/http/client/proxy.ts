import { BlockList, isIP } from "node:net";
import type { ProxySettings } from "../../config/fields/proxies.ts";
import { hostOf, isLoopbackHost, portOf } from "../../lib/host.ts";

/** A forward proxy, with our credentials for it. */
export interface ForwardProxy {
  /** Without credentials. */
  origin: string;
  hostname: string;
  port: number;
  /** The `proxy-authorization` header. */
  authorization?: string;
}

/**
 * The proxy for requests to an address; undefined for none:
 *
 * 1. This machine (`localhost`, `127.0.0.0/8`, `::1`): none.
 * 2. An entry of the bypass fits: none. `*` fits everything; a name fits itself and the names below
 *    it, with or without a dot before it; an address itself; a network (`10.0.0.0/8`) the addresses
 *    in it; with a port behind (`gpu1:8080`) only that one.
 * 3. Otherwise the one for the address's scheme, if there is one.
 *
 * Names are compared as they are written, not looked up: the proxy may know others than we do.
 */
export function proxyFor(address: string, settings: ProxySettings): ForwardProxy | undefined {
  const url = URL.parse(address);
  const given = url?.protocol === "https:" ? settings.httpsProxy : settings.httpProxy;
  if (url === null || given === null) return undefined;
  const host = hostOf(url);
  const port = portOf(url);
  if (isLoopbackHost(host)) return undefined;
  if (settings.proxyBypass.some((entry) => fits(entry, host, port))) return undefined;
  return proxyOf(given);
}

function proxyOf(given: string): ForwardProxy {
  const url = new URL(given);
  const { host, username, password } = url;
  const place = { origin: `http://${host}`, hostname: hostOf(url), port: Number(portOf(url)) };
  if (username === "") return place;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { ...place, authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

function fits(entry: string, host: string, port: string): boolean {
  const text = entry.trim().toLowerCase();
  if (text === "*") return true;
  if (text.includes("/")) return isWithin(text, host);
  const [, bracketed, name, only] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  if (only !== undefined && only !== port) return false;
  // An address of version 6 without brackets has colons of its own.
  const wanted = (bracketed ?? name ?? text).replace(/^\*?\./, "").replace(/\.$/, "");
  if (wanted === "") return false;
  if (isIP(wanted) !== 0 || isIP(host) !== 0) return canonical(wanted) === canonical(host);
  return host === wanted || host.endsWith(`.${wanted}`);
}

function isWithin(network: string, host: string): boolean {
  const [address = "", bits = ""] = network.split("/");
  const version = isIP(address);
  const length = Number(bits);
  const isNetwork = version !== 0 && /^\d{1,3}$/.test(bits) && length <= (version === 4 ? 32 : 128);
  if (!isNetwork || isIP(host) !== version) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, length, family);
  return list.check(host, family);
}

/** One spelling of an address. */
function canonical(host: string): string {
  const url = isIP(host) === 6 ? URL.parse(`http://[${host}]`) : null;
  return url === null ? host : hostOf(url);
}
