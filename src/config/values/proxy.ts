import type { ZodType } from "zod";
import { TEXTS_SHAPE, valueSchema } from "./schema.ts";

/** The URL of an HTTP proxy; null for the text `none`. */
export function proxyUrl(): ZodType<string | null> {
  const expected = "must be the URL of an HTTP proxy such as http://proxy:3128, or none";
  return valueSchema(expected, (value) =>
    typeof value === "string" ? readProxy(value) : undefined,
  );
}

/** Hosts that are reached without a proxy: a list, or text with commas or blanks between them. */
export function proxyBypass(): ZodType<string[]> {
  const expected = 'must be a list of hosts such as ["gpu1", ".example.com", "10.0.0.0/8"]';
  return valueSchema(expected, (value) => {
    if (typeof value === "string") return splitBypass(value);
    return Array.isArray(value) && value.every((item) => typeof item === "string")
      ? value
      : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}

const PORT_DEFAULT = 80;

/**
 * Reads a proxy's URL; `http://` may be missing. Returns null for `none`, and undefined for
 * anything but the base URL of an HTTP proxy.
 */
function readProxy(given: string): string | null | undefined {
  const text = given.trim();
  if (text.toLowerCase() === "none") return null;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || url.protocol !== "http:" || url.hostname === "") return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return undefined;
  const credentials = url.username === "" ? "" : `${url.username}:${url.password}@`;
  return `http://${credentials}${url.hostname}:${url.port === "" ? PORT_DEFAULT : url.port}`;
}

/** Splits a list of hosts at commas and blanks. */
function splitBypass(given: string): string[] {
  return given.split(/[\s,]+/).filter((item) => item !== "");
}

/**
 * Changes `no_proxy` of an environment so that requests to this machine use no proxy, in this
 * process and its children: Bun's own `fetch` sends even those to the proxy of the environment.
 */
export function exemptLoopback(env: Record<string, string | undefined>): void {
  const proxies = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
  if (proxies.every((name) => env[name] === undefined)) return;
  const given = env.no_proxy ?? env.NO_PROXY ?? "";
  const all = [...splitBypass(given), "localhost", "127.0.0.1", "::1", "[::1]"].join(",");
  env.no_proxy = all;
  env.NO_PROXY = all;
}
