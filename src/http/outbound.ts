import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { ApiError } from "../wire/error.ts";

/** Addresses that no endpoint has, but from which clouds hand out the machine's credentials. */
const REFUSED = new BlockList();
REFUSED.addSubnet("169.254.0.0", 16, "ipv4");
REFUSED.addSubnet("0.0.0.0", 8, "ipv4");
REFUSED.addSubnet("224.0.0.0", 3, "ipv4");
REFUSED.addAddress("100.100.100.200", "ipv4");
REFUSED.addSubnet("fe80::", 10, "ipv6");
REFUSED.addSubnet("ff00::", 8, "ipv6");
REFUSED.addAddress("::", "ipv6");
REFUSED.addAddress("fd00:ec2::254", "ipv6");

const REFUSED_NAMES = /^(metadata|metadata\.google\.internal|instance-data)\.?$/i;

/** A name that is not resolved by then may be resolvable later. */
const LOOKUP_MS_MAX = 2000;

/**
 * Refuses a URL that must not be called on anybody's behalf: not `http(s)`, or an address that is
 * link-local, a cloud's metadata service, or none of a single machine. Names are looked up; one
 * that cannot be is let through. Throws 400 `forbidden_address` with `param`.
 */
export async function guardOutbound(address: string, param: string): Promise<void> {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) throw refused(address, param);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isRefusedAddress(host) || REFUSED_NAMES.test(host)) throw refused(host, param);
  if (isIP(host) !== 0) return;
  for (const resolved of await addressesOf(host)) {
    if (isRefusedAddress(resolved)) throw refused(`${host} (${resolved})`, param);
  }
}

/** Whether an IP address is one of those; false for anything else. */
export function isRefusedAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return REFUSED.check(address, "ipv4");
  if (version !== 6) return false;
  const inner = embeddedIpv4(address);
  return REFUSED.check(address, "ipv6") || (inner !== undefined && isRefusedAddress(inner));
}

/** The IPv4 address in `::ffff:a.b.c.d`, which URLs spell in hexadecimal. */
function embeddedIpv4(address: string): string | undefined {
  const [, dotted] = /^::ffff:([\d.]+)$/i.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

async function addressesOf(host: string): Promise<string[]> {
  const { promise: late, resolve } = Promise.withResolvers<string[]>();
  const timer = setTimeout(() => resolve([]), LOOKUP_MS_MAX);
  const found = lookup(host, { all: true }).then(
    (all) => all.map(({ address }) => address),
    () => [], // Unknown today; what cannot be resolved cannot be called either.
  );
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

function refused(what: string, param: string): ApiError {
  const message = `The address ${what} is refused: link-local and metadata addresses are never \
called. Name the endpoint's own address.`;
  return new ApiError("invalid_request", message, { code: "forbidden_address", param });
}
