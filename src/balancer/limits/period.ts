/** A day or a month of UTC. */
export type Period = "day" | "month";

/** What was used in one day or month. Plain, so that it can be stored. */
export interface PeriodState {
  /** `2030-01-31` or `2030-01`. */
  name: string;
  tokens: number;
  costMicros: number;
}

/** The day or month of a time (unix ms), as `2030-01-31` or `2030-01`. */
export function periodOf(period: Period, nowMs: number): string {
  const day = Math.floor(nowMs / DAY_MS);
  if (day !== today.day) {
    const name = new Date(nowMs).toISOString();
    today = { day, names: { day: name.slice(0, 10), month: name.slice(0, 7) } };
  }
  return today.names[period];
}

const DAY_MS = 86_400_000;

/** Nearly all requests ask for the same day. */
let today: { day: number; names: Record<Period, string> } = {
  day: Number.NaN,
  names: { day: "", month: "" },
};

/** When the next day or month begins, in unix ms. */
export function nextPeriodMs(period: Period, nowMs: number): number {
  const date = new Date(nowMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return period === "day" ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1);
}
