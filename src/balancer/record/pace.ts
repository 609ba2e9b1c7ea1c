import type { RequestRecord } from "./record.ts";
import type { TokenCount } from "./tokencount.ts";

/** Shorter, an answer was not generated in this time but only passed on. */
const GENERATION_MS_MIN = 1;

/**
 * Seconds that each token of an answer took after its first one. Undefined where nothing tells:
 * only a stream shows when its first token came, only a server's own count is exact, and a single
 * token has no pace.
 */
export function secondsPerToken(
  { request, firstTokenMs, durationMs, error }: RequestRecord,
  { usage, source }: TokenCount,
): number | undefined {
  if (!request.streams || firstTokenMs === null || error !== null) return undefined;
  if (source !== "usage") return undefined;
  const later = (usage?.output ?? 0) - 1;
  const generationMs = durationMs - firstTokenMs;
  return later < 1 || generationMs < GENERATION_MS_MIN ? undefined : generationMs / 1000 / later;
}
