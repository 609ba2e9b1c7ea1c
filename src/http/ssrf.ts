import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { withDeadline } from "../lib/deadline.ts";
import { ApiError } from "../wire/error.ts";

/** Addresses that no endpoint has. Clouds hand out a machine's credentials from some of them. */
const REFUSED = new BlockList();
REFUSED.addSubnet("169.254.0.0", 16, "ipv4");
REFUSED.addSubnet("0.0.0.0", 8, "ipv4");
REFUSED.addSubnet("224.0.0.0", 3, "ipv4");
REFUSED.addAddress("100.100.100.200", "ipv4");
REFUSED.addAddress("168.63.129.16", "ipv4");
REFUSED.addAddress("192.0.0.192", "ipv4");
REFUSED.addSubnet("fe80::", 10, "ipv6");
REFUSED.addSubnet("ff00::", 8, "ipv6");
REFUSED.addAddress("::", "ipv6");
REFUSED.addSubnet("fd00:ec2::", 32, "ipv6");
REFUSED.addAddress("fd20:ce::254", "ipv6");
REFUSED.addAddress("fd00:c1::a9fe:a9fe", "ipv6");
REFUSED.addAddress("fd00:42::42", "ipv6");

/** Addresses of this machine and of private networks, and reserved ones. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("100.64.0.0", 10, "ipv4");
PRIVATE.addSubnet("127.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.0.0.0", 24, "ipv4");
PRIVATE.addSubnet("192.0.2.0", 24, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("198.18.0.0", 15, "ipv4");
PRIVATE.addSubnet("198.51.100.0", 24, "ipv4");
PRIVATE.addSubnet("203.0.113.0", 24, "ipv4");
PRIVATE.addAddress("::1", "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fec0::", 10, "ipv6");
PRIVATE.addSubnet("2001::", 32, "ipv6");
PRIVATE.addSubnet("2001:db8::", 32, "ipv6");
PRIVATE.addSubnet("100::", 64, "ipv6");

/** Names under which clouds hand them out: a proxy in between would look them up itself. */
const REFUSED_NAMES = new Set([
  ...["metadata", "metadata.goog", "metadata.google.internal", "metadata.tencentyun.com"],
  ...["instance-data", "instance-data.ec2.internal"],
]);

/**
 * Ports of services that are no HTTP and might obey what a request carries, such as mail (Fetch
 * standard, "bad port").
 */
const OTHER_SERVICES = new Set([
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95],
  ...[101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179],
  ...[389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601],
  ...[636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566],
  ...[6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/** Longest look-up. A name that takes longer is let through: it may resolve later. */
const LOOKUP_MS_MAX = 2000;

/**
 * Refuses a URL that must not be called for a client: not `http(s)`, or with an address that is
 * link-local, a cloud's metadata service, multicast or reserved. Names are looked up; a name that
 * does not resolve, or that has another address as well, is let through. With
 * `allowMetadataAddresses`, any address passes. Throws 400 `forbidden_address` with `param`.
 */
export async function guardUrl(
  address: string,
  param: string,
  { allowMetadataAddresses = false } = {},
): Promise<void> {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) throw refused(address, param);
  if (allowMetadataAddresses) return;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isRefusedHost(host)) throw refused(host, param);
  if (isIP(host) !== 0) return;
  const all = await addressesOf(host);
  if (all.length === 0 || all.some((address) => !isRefusedAddress(address))) return;
  throw refused(`${host} (${all[0]})`, param);
}

/**
 * The addresses of a host to connect to for others. Each was checked, so that a name that resolves
 * to another address a moment later changes nothing. Those that `guardUrl` refuses are left out:
 * the name of a machine in a local network often has a link-local address, too. Undefined: nothing
 * is left, or the name itself is refused. Rejects if it does not resolve.
 */
export async function guardedAddresses(
  host: string,
  look: (name: string) => Promise<string[]> = resolve,
): Promise<string[] | undefined> {
  if (isRefusedHost(host)) return undefined;
  const all = isIP(host) === 0 ? await look(host) : [host];
  const allowed = all.filter((address) => !isRefusedAddress(address));
  return allowed.length === 0 && all.length > 0 ? undefined : allowed;
}

async function resolve(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Whether an IP address is refused by `guardUrl`; false for any other text. */
export function isRefusedAddress(address: string): boolean {
  return isListed(REFUSED, address);
}

/**
 * Whether an IP address is a loopback one, one of a private network (RFC 1918, 4193, 6598), or
 * reserved (RFC 5737, 2544). False for any other text.
 */
export function isPrivateAddress(address: string): boolean {
  return isListed(PRIVATE, address);
}

/** Whether a port is that of a service which is no HTTP; browsers fetch nothing from it either. */
export function isRefusedPort(port: number): boolean {
  return OTHER_SERVICES.has(port);
}

/** Whether a host is an address or a name under which clouds hand out credentials. */
export function isRefusedHost(host: string): boolean {
  return isRefusedAddress(host) || REFUSED_NAMES.has(host.toLowerCase().replace(/\.$/, ""));
}

function isListed(list: BlockList, address: string): boolean {
  const version = isIP(address);
  if (version === 4) return list.check(address, "ipv4");
  if (version !== 6) return false;
  return list.check(address, "ipv6") || embeddedIpv4(address).some((one) => isListed(list, one));
}

/**
 * The IPv4 addresses that an IPv6 address may lead to: mapped (`::ffff:a.b.c.d`, RFC 4291),
 * compatible (`::a.b.c.d`), translated (`::ffff:0:a.b.c.d`, RFC 7915; `64:ff9b::a.b.c.d` and in
 * `64:ff9b:1::/48`, RFC 6052 and 8215), in 6to4 (`2002:aabb:ccdd::`), Teredo (RFC 4380: its server
 * and its client) or ISATAP (RFC 5214).
 */
function embeddedIpv4(address: string): string[] {
  const groups = groupsOf(address);
  if (groups === undefined) return [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, mark = 0, high = 0, low = 0] = groups;
  const last = dotted(high, low);
  if (a === 0x2002) return [dotted(b, c)];
  if (a === 0x2001 && b === 0) return [dotted(c, d), dotted(high ^ 0xffff, low ^ 0xffff)];
  if ((e & 0xfdff) === 0 && mark === 0x5efe) return [last];
  if (a === 0x64 && b === 0xff9b && c === 1) return [last, ...aroundMiddle(groups)];
  if (c !== 0 || d !== 0) return [];
  if (a === 0x64 && b === 0xff9b) return e === 0 && mark === 0 ? [last] : [];
  if (a !== 0 || b !== 0) return [];
  if (e === 0xffff) return mark === 0 ? [last] : [];
  return e === 0 && (mark === 0xffff || (mark === 0 && high !== 0)) ? [last] : [];
}

/**
 * An IPv4 address behind a prefix of 48, 56 or 64 bits leaves out the byte in the middle (RFC 6052,
 * 2.2). Which prefix a network has is not known; one that begins with 0 only says another is meant.
 */
function aroundMiddle(groups: number[]): string[] {
  const bytes = groups.flatMap((group) => [group >> 8, group & 255]);
  bytes.splice(8, 1);
  return [6, 7, 8]
    .map((at) => bytes.slice(at, at + 4))
    .flatMap((four) => (four[0] === 0 ? [] : [four.join(".")]));
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] | undefined {
  const host = URL.parse(`http://[${address.replace(/%.*$/, "")}]`)?.hostname.slice(1, -1);
  if (host === undefined) return undefined;
  const [left = "", right = ""] = host.split("::");
  const [head, tail] = [left, right].map((part) => (part === "" ? [] : part.split(":")));
  const omitted = 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  const all = [...(head ?? []), ...Array.from({ length: omitted }, () => "0"), ...(tail ?? [])];
  return all.map((group) => Number.parseInt(group, 16));
}

function dotted(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

async function addressesOf(host: string): Promise<string[]> {
  // A name that does not resolve cannot be called either.
  const found = resolve(host).catch((): string[] => []);
  const all = await withDeadline(found, { timeoutMs: LOOKUP_MS_MAX });
  return Array.isArray(all) ? all : [];
}

function refused(what: string, param: string): ApiError {
  const message = `The address ${what} is refused: link-local and metadata addresses are never \
called. Name the endpoint's own address.`;
  return new ApiError("invalid_request", message, { code: "forbidden_address", param });
}
