import { isIP } from "node:net";

/**
 * The host of a URL as hosts are compared: without the brackets of an IPv6 address and without the
 * dot that may end a full name. The URL parser has already decoded it, made it lower case and
 * brought addresses to one spelling.
 */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** The port of an `http` or `https` URL: the scheme's usual one if the URL has none. */
export function portOf({ port, protocol }: URL): string {
  if (port !== "") return port;
  return protocol === "https:" ? "443" : "80";
}

/** Whether a host, as `hostOf` returns it, is this machine itself. */
export function isLoopbackHost(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost") || host === "::1") return true;
  // 127.0.0.0/8, also mapped into IPv6. A name such as `127.example.com` is no address.
  return isIP(host) === 4 ? host.startsWith("127.") : /^::ffff:7f[\da-f]{2}:/.test(host);
}
