import { isAllowed, isAllowedRedirect } from "./allowlist.ts";
import type { RangeRequest } from "./rangerequest.ts";

/**
 * Whether a file may come from an address: the node's own patterns must allow it, and those of the
 * manifest, if it has any.
 */
export function allowedOrigins(origins: string[], listed: string[]): RangeRequest["allows"] {
  return (url, redirected) => {
    const check = redirected ? isAllowedRedirect : isAllowed;
    return check(url, origins) && (listed.length === 0 || check(url, listed));
  };
}

/** The token for an address: only the hub's own origin gets it. */
export function tokenFor(
  url: string,
  { hubUrl, token }: { hubUrl: string; token?: string | undefined },
): string | undefined {
  return URL.parse(url)?.origin === URL.parse(hubUrl)?.origin ? token : undefined;
}
