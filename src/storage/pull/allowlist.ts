import { ORIGINS_DEFAULT } from "../../config/hubfields.ts";

const HUB_HOSTS = /(^|\.)(huggingface\.co|hf\.co)$/i;

/** Patterns of a mirror's own address, on any of its ports: a mirror that was set is allowed. */
export function ownOrigins(hubUrl: string): string[] {
  const { hostname, host } = new URL(hubUrl);
  if (HUB_HOSTS.test(hostname)) return [];
  return [...new Set([host, hostname, `${host}/*`, `${hostname}/*`])];
}

const PATTERN_CHARS_MAX = 512;

/**
 * Whether a URL matches one of the patterns. Capitals do not matter, `*` stands for anything. What
 * a pattern is compared with: `*` everything; with `://` scheme, host and path; with a dot host and
 * path, or the host alone; with a slash the repository (`org/name`); anything else the host. No
 * patterns allow nothing.
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
  const host = url.host.toLowerCase();
  const path = url.pathname.toLowerCase();
  if (pattern.includes("://")) return glob(pattern, `${url.protocol}//${host}${path}`);
  // An address or a name with a port is a host, whether there is a dot in it or not.
  if (pattern.includes(".") || /:\d+(?:$|\/)/.test(pattern)) {
    return glob(pattern, `${host}${path}`) || glob(pattern, host) || glob(pattern, hostname(url));
  }
  if (pattern.includes("/")) return glob(pattern, repositoryOf(path));
  return glob(pattern, host) || glob(pattern, hostname(url));
}

function hostname(url: URL): string {
  return url.hostname.toLowerCase();
}

/** `org/name` of a file's address on a hub. */
function repositoryOf(path: string): string {
  return path.split("/").slice(1, 3).join("/");
}

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
