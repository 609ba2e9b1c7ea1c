import { proxyBypass, proxyUrl } from "../values/proxy.ts";
import type { FieldsOf } from "./field.ts";

/** Which proxies requests to endpoints go through. */
export interface ProxySettings {
  /** Proxy for `http:` addresses, a URL that may hold a user and a password; null: none. */
  httpProxy: string | null;
  /** The same for `https:` addresses. */
  httpsProxy: string | null;
  /** Hosts that are reached without a proxy: names, addresses, networks, or `*` for all. */
  proxyBypass: string[];
}

/** The fields of `ProxySettings`; their aliases are the variables that curl and others read. */
export const PROXY_FIELDS: FieldsOf<ProxySettings> = {
  httpProxy: {
    name: "http_proxy",
    flags: "--http-proxy <url>",
    aliases: ["http_proxy", "HTTP_PROXY"],
    group: "Endpoints",
    help: "Proxy to http:// endpoints, also HTTP_PROXY; this machine is never asked through one",
    schema: () => proxyUrl(),
    fallback: () => null,
    fallbackText: "none",
  },
  httpsProxy: {
    name: "https_proxy",
    flags: "--https-proxy <url>",
    aliases: ["https_proxy", "HTTPS_PROXY"],
    group: "Endpoints",
    help: "Proxy to https:// endpoints, also HTTPS_PROXY",
    schema: () => proxyUrl(),
    fallback: () => null,
    fallbackText: "none",
  },
  proxyBypass: {
    name: "proxy_bypass",
    flags: "--proxy-bypass <hosts>",
    aliases: ["no_proxy", "NO_PROXY"],
    group: "Endpoints",
    help: "Hosts without a proxy, also NO_PROXY: gpu1, .example.com, 10.0.0.0/8, or * for all",
    schema: () => proxyBypass(),
    fallback: () => [],
    fallbackText: "none",
  },
};
