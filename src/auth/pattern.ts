import { matchesWildcard } from "../lib/wildcard.ts";

/** Whether a name fits one of the patterns with `*`, in any case. */
export function fitsAny(patterns: readonly string[], name: string): boolean {
  const lower = name.toLowerCase();
  return patterns.some((pattern) => matchesWildcard(pattern.toLowerCase(), lower));
}
