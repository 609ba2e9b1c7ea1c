import { isIP } from "node:net";
import { isHubHost, ORIGINS_DEFAULT } from "../../config/fields/hub.ts";
import { hostOf, portOf } from "../../lib/host.ts";
import { matchesWildcard } from "../../lib/wildcard.ts";

/**
 * Patterns of a mirror's own address, on any of its ports: a mirror that was set is allowed, and
 * without encryption if it was set so.
 */
export function ownOrigins(hubUrl: string): string[] {
  const url = new URL(hubUrl);
  if (isHubHost(hostOf(url))) return [];
  return [`${url.protocol === "https:" ? "https" : "*"}://${url.hostname}:*`];
}

const PATTERN_CHARS_MAX = 512;

/**
 * Whether a URL matches one of the patterns. Capitals do not matter. Each part of a pattern is
 * compared with the same part of the URL and with nothing else; `*` stands for anything within its
 * part. Patterns are:
 *
 * 1. `*`: every address.
 * 2. `org/name`, with neither a dot nor a colon in `org`: that repository, on the hub's own hosts.
 * 3. `[scheme://]host[:port][/path]`. Without a scheme: `https`, and `http` for IP addresses and
 *    names without a dot, which are of one's own network and have no certificates. Without a path,
 *    or with `/` or `/*`: all of the host; another path narrows it. Without a port: every port if
 *    the pattern is the host alone or the host ends in `*`, else the scheme's usual one.
 *
 * No patterns allow nothing.
 */
export function isAllowed(url: string, patterns: readonly string[]): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return false;
  // Whoever reads `https://huggingface.co@evil.example` is deceived; nobody needs it here.
  if (parsed.username !== "" || parsed.password !== "") return false;
  return patterns.some((pattern) => matches(parsed, pattern.trim().toLowerCase()));
}

/** The same for what a hub tells of itself, whose addresses are not those of the files. */
export function isAllowedHost(url: string, patterns: readonly string[]): boolean {
  const hosts = patterns.flatMap((pattern) =>
    isRepository(pattern.trim()) ? ORIGINS_DEFAULT : (/^(?:[^/]*:\/\/)?[^/]*/.exec(pattern) ?? []),
  );
  return isAllowed(url, hosts);
}

/**
 * The same for where an allowed address redirects to. A list that names repositories says nothing
 * of the hosts that their content lies on: those are then the hub's own.
 */
export function isAllowedRedirect(url: string, patterns: readonly string[]): boolean {
  const hub = patterns.some(isRepository) ? ORIGINS_DEFAULT : [];
  return isAllowed(url, [...patterns, ...hub]);
}

function isRepository(pattern: string): boolean {
  return /^[^/.:[\]]+\//.test(pattern);
}

function matches(url: URL, pattern: string): boolean {
  if (pattern === "*") return true;
  if (pattern === "" || pattern.length > PATTERN_CHARS_MAX) return false;
  if (isRepository(pattern)) {
    const isOnHub = ORIGINS_DEFAULT.some((hub) => matchesAddress(url, hub));
    return isOnHub && matchesPath(`/${pattern}`, `/${repositoryOf(url)}`);
  }
  return matchesAddress(url, pattern);
}

/** `org/name` of a file's address on a hub. */
function repositoryOf({ pathname }: URL): string {
  return pathname.split("/").slice(1, 3).join("/");
}

function matchesAddress(url: URL, pattern: string): boolean {
  const [, scheme, authority = "", path = ""] =
    /^(?:([^/]*?):\/\/)?([^/]*)(.*)$/s.exec(pattern) ?? [];
  // An address of version 6 without brackets has colons of its own.
  const bracketed = isIP(authority) === 6 ? `[${authority}]` : authority;
  const [, host, port] = /^(\[[^@\]]*\]|[^:@?#\\[\]]+)(?::([\d*]+))?$/.exec(bracketed) ?? [];
  if (host === undefined || !matchesHost(host, hostOf(url))) return false;
  const isOfPlain = isIP(hostOf(url)) !== 0 || !hostOf(url).includes(".");
  if (!matchesWildcard(scheme ?? (isOfPlain ? "http*" : "https"), url.protocol.slice(0, -1)))
    return false;
  const isAnyPort = host.endsWith("*") || (scheme === undefined && path === "");
  if (port === undefined ? url.port !== "" && !isAnyPort : !matchesWildcard(port, portOf(url)))
    return false;
  return path === "" || path === "/" || path === "/*" || matchesPath(path, url.pathname);
}

function matchesHost(pattern: string, host: string): boolean {
  if (!pattern.includes("*")) {
    const url = URL.parse(`http://${pattern}`);
    return url !== null && hostOf(url) === host;
  }
  const bare = pattern.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  // `10.0.0.*` means addresses, not the name 10.0.0.example.com.
  if (/^[\d.*]*\d[\d.*]*$/.test(bare) && isIP(host) !== 4) return false;
  if (pattern.startsWith("[") && isIP(host) !== 6) return false;
  return matchesWildcard(bare, host);
}

/** Never true for a path with an encoded slash: a server may decode it and leave the folder. */
function matchesPath(pattern: string, path: string): boolean {
  return !/%(?:2f|5c)/i.test(path) && matchesWildcard(pattern, path.toLowerCase());
}
