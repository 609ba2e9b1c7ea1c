import { type ZodType, z } from "zod";
import type { Field, Inputs } from "./fields.ts";
import { type ProxySettings, readBypass, readProxy } from "./proxy.ts";

/** The settings of proxies; the names that all programs know are taken beside `LLMLB_…`. */
export const PROXY_FIELDS: { [K in keyof ProxySettings]: Field<Inputs[K]> } = {
  httpProxy: {
    name: "http_proxy",
    flags: "--http-proxy <url>",
    aliases: ["http_proxy", "HTTP_PROXY"],
    group: "Endpoints",
    help: "Proxy to http:// endpoints, also HTTP_PROXY; this machine is never asked through one",
    schema: () => proxy(),
    fallback: () => null,
    fallbackText: "none",
  },
  httpsProxy: {
    name: "https_proxy",
    flags: "--https-proxy <url>",
    aliases: ["https_proxy", "HTTPS_PROXY"],
    group: "Endpoints",
    help: "Proxy to https:// endpoints, also HTTPS_PROXY",
    schema: () => proxy(),
    fallback: () => null,
    fallbackText: "none",
  },
  proxyBypass: {
    name: "proxy_bypass",
    flags: "--proxy-bypass <hosts>",
    aliases: ["no_proxy", "NO_PROXY"],
    group: "Endpoints",
    help: "Hosts without a proxy, also NO_PROXY: gpu1, .example.com, 10.0.0.0/8, or * for all",
    schema: () => hosts(),
    fallback: () => [],
    fallbackText: "none",
  },
};

function proxy(): ZodType<string | null> {
  return z.unknown().transform((value, ctx) => {
    const read = typeof value === "string" ? readProxy(value) : undefined;
    if (read !== undefined) return read;
    ctx.addIssue("must be the URL of an HTTP proxy such as http://proxy:3128, or none");
    return z.NEVER;
  });
}

function hosts(): ZodType<string[]> {
  return z.unknown().transform((value, ctx) => {
    if (typeof value === "string") return readBypass(value);
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    ctx.addIssue('must be a list of hosts such as ["gpu1", ".example.com", "10.0.0.0/8"]');
    return z.NEVER;
  });
}
