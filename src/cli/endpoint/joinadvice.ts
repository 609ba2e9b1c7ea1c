import { hostOf, isLoopbackHost } from "../../lib/host.ts";

export interface JoinFacts {
  /** Where this machine reaches the balancer. */
  url: string;
  /** Where it listens, if that is known: with the address of `--host`, such as `0.0.0.0`. */
  boundUrl: string | undefined;
  /** The addresses of this machine that others may reach, the likeliest first. */
  addresses: string[];
  token: string;
  /** Of the balancer's certificate, if no authority that everybody knows has signed it. */
  fingerprint?: string | undefined;
}

const ANY = new Set(["0.0.0.0", "::"]);

/** How a node joins with a token, in lines for people: from another host, or why that cannot be. */
export function joinAdvice(facts: JoinFacts): string[] {
  const { url, boundUrl, addresses, token, fingerprint } = facts;
  const bound = new URL(boundUrl ?? url);
  const host = hostOf(bound);
  const pin = fingerprint === undefined ? "" : ` --fingerprint ${fingerprint}`;
  const join = (base: string) => `--join ${base} --token ${token}${pin}`;
  if (ANY.has(host) && addresses.length > 0) {
    const [first = "", ...others] = addresses.map((address) => withHost(bound, address));
    return [
      "On the other host:",
      `  llmlb node --host 0.0.0.0 ${join(first)}`,
      ...(others.length === 0 ? [] : [`This machine is also ${others.join(", ")}`]),
    ];
  }
  if (!isLoopbackHost(host) && !ANY.has(host)) {
    return ["On the other host:", `  llmlb node --host 0.0.0.0 ${join(trimmed(bound))}`];
  }
  const here = `  llmlb node ${join(url)}`;
  if (boundUrl === undefined) {
    return [
      "On this machine:",
      here,
      `From other hosts, put the address there by which they reach the balancer behind ${url}.`,
    ];
  }
  return [
    "On this machine:",
    here,
    "Other hosts cannot reach this balancer: it listens on loopback only. Start it with",
    "  llmlb balancer --host 0.0.0.0",
    "(clients need a key then), or put a proxy in front and give nodes the proxy's address.",
  ];
}

function withHost(url: URL, address: string): string {
  const copy = new URL(url);
  copy.hostname = address.includes(":") ? `[${address}]` : address;
  return trimmed(copy);
}

function trimmed(url: URL): string {
  return url.href.replace(/\/$/, "");
}
