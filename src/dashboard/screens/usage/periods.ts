import type { UsageReport } from "../../../wire/usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** More than this is not drawn, whatever is asked for. */
const PERIODS_MAX = 1000;

/**
 * All periods of a report by the hour, day or month, oldest first, also those without rows: as its
 * rows name them. Days and months are the balancer's, whose clock may be in another zone: its
 * distance follows from when its first day began.
 */
export function periodsOf({ by, from, to }: Pick<UsageReport, "by" | "from" | "to">): string[] {
  const [start, end] = [Date.parse(from), Date.parse(to) - 1];
  if (by === "total" || !(start <= end)) return [];
  const periods: string[] = [];
  if (by === "hour") {
    const first = Math.floor(start / HOUR_MS) * HOUR_MS;
    for (let at = first; at <= end && periods.length < PERIODS_MAX; at += HOUR_MS) {
      periods.push(new Date(at).toISOString());
    }
    return periods;
  }
  const midnight = Math.round(start / DAY_MS) * DAY_MS;
  const aheadMs = midnight - start;
  const length = by === "day" ? 10 : 7;
  const last = new Date(end + aheadMs).toISOString().slice(0, length);
  const at = new Date(midnight);
  for (;;) {
    const period = at.toISOString().slice(0, length);
    if (period > last || periods.length === PERIODS_MAX) return periods;
    periods.push(period);
    if (by === "day") at.setUTCDate(at.getUTCDate() + 1);
    else at.setUTCMonth(at.getUTCMonth() + 1, 1);
  }
}
