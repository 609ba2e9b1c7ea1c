/** A time (unix ms) as APIs show it: RFC 3339, in UTC. */
export function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** The same; null stays null. */
export function isoTimeOrNull(unixMs: number | null): string | null {
  return unixMs === null ? null : isoTime(unixMs);
}
