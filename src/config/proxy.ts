/** Which proxies requests to endpoints go through. */
export interface ProxySettings {
  /** Proxy for `http:` addresses, a URL that may hold a user and a password; null: none. */
  httpProxy: string | null;
  /** The same for `https:` addresses. */
  httpsProxy: string | null;
  /** Hosts that are reached without: names, addresses, networks, or `*` for all. */
  proxyBypass: string[];
}

const PORT_DEFAULT = 80;

/**
 * Reads a proxy's URL; `http://` may be missing. Returns null for `none`, and undefined for what is
 * no proxy that we speak with.
 */
export function readProxy(given: string): string | null | undefined {
  const text = given.trim();
  if (text.toLowerCase() === "none") return null;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || url.protocol !== "http:" || url.hostname === "") return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return undefined;
  const credentials = url.username === "" ? "" : `${url.username}:${url.password}@`;
  return `http://${credentials}${url.hostname}:${url.port === "" ? PORT_DEFAULT : url.port}`;
}

/** Splits a list of hosts at commas and blanks. */
export function readBypass(given: string): string[] {
  return given.split(/[\s,]+/).filter((item) => item !== "");
}

/**
 * Lets requests to this machine go without a proxy in all of this process and its children: Bun's
 * own `fetch` would send even those to the proxy that the environment names.
 */
export function exemptLoopback(env: Record<string, string | undefined>): void {
  const proxies = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
  if (proxies.every((name) => env[name] === undefined)) return;
  const given = env.no_proxy ?? env.NO_PROXY ?? "";
  const all = [...readBypass(given), "localhost", "127.0.0.1", "::1", "[::1]"].join(",");
  env.no_proxy = all;
  env.NO_PROXY = all;
}
