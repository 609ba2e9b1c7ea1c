import { ORIGINS_DEFAULT } from "../../config/fields/hub.ts";

const HUB_HOSTS = /(^|\.)(huggingface\.co|hf\.co)$/i;

/** Patterns of a mirror's own address, on any of its ports: a mirror that was set is allowed. */
export function ownOrigins(hubUrl: string): string[] {
  const { hostname, host } = new URL(hubUrl);
  if (HUB_HOSTS.test(hostname)) return [];
  // Without a path: of a name without a dot, `name/*` would be a repository.
  return [...new Set([host, hostname])];
}

const PATTERN_CHARS_MAX = 512;

/**
 * Whether a URL matches one of the patterns. Capitals do not matter, `*` stands for anything:
 *
 * - `*` allows every address;
 * - `org/name`, with a slash and neither a dot nor a port, allows a repository, wherever it lies;
 * - anything else is `[scheme://]host[:port][/path]`. Each part is compared with the same part of
 *   the URL and with nothing else; a part that is not given may be anything.
 *
 * No patterns allow nothing.
 */
export function isAllowed(url: string, patterns: string[]): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return false;
  // Whoever reads `https://huggingface.co@evil.example` is deceived; nobody needs it here.
  if (parsed.username !== "" || parsed.password !== "") return false;
  return patterns.some((pattern) => matches(parsed, pattern.trim().toLowerCase()));
}

/**
 * The same for where an allowed address redirects to. A list that names repositories says nothing
 * of the hosts that their content lies on: those are then the hub's own.
 */
export function isAllowedRedirect(url: string, patterns: string[]): boolean {
  const hub = patterns.some(isRepository) ? ORIGINS_DEFAULT : [];
  return isAllowed(url, [...patterns, ...hub]);
}

function isRepository(pattern: string): boolean {
  return pattern.includes("/") && !/[.:]/.test(pattern);
}

function matches(url: URL, pattern: string): boolean {
  if (pattern === "*") return true;
  if (pattern === "" || pattern.length > PATTERN_CHARS_MAX) return false;
  const path = url.pathname.toLowerCase();
  if (isRepository(pattern)) return glob(pattern, path.split("/").slice(1, 3).join("/"));
  const [, scheme, host = "", rest = ""] = /^(?:([^/]*):\/\/)?([^/]*)(.*)$/s.exec(pattern) ?? [];
  if (scheme !== undefined && !glob(`${scheme}:`, url.protocol)) return false;
  if (rest !== "" && !glob(rest, path)) return false;
  // A name may be written with the dot of its root.
  const name = url.hostname.toLowerCase().replace(/\.$/, "");
  return glob(host, name) || glob(host, `${name}:${url.port || DEFAULT_PORTS[url.protocol]}`);
}

const DEFAULT_PORTS: Record<string, string> = { "http:": "80", "https:": "443" };

function glob(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (!text.startsWith(first)) return false;
  if (rest.length === 0) return text === first;
  let at = first.length;
  for (const piece of rest.slice(0, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = rest.at(-1) ?? "";
  return text.length - last.length >= at && text.endsWith(last);
}
