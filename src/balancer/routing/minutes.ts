/** How far back the history goes. */
export const MINUTES = 60;

const MINUTE_MS = 60_000;

/** What was finished within one minute. */
export interface MinutePoint {
  /** Start of the minute, RFC 3339 in UTC. */
  minute: string;
  success: number;
  error: number;
}

/** Finished requests per minute over the last hour, in a fixed amount of memory. */
export class MinuteHistory {
  /** Minutes since the epoch that the places count for: minute m has place m % 60. */
  readonly #minutes = new Float64Array(MINUTES).fill(-1);
  readonly #successes = new Uint32Array(MINUTES);
  readonly #errors = new Uint32Array(MINUTES);

  /** Counts one finished request at `nowMs` (Unix time). */
  add(success: boolean, nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const place = minute % MINUTES;
    if (this.#minutes[place] !== minute) {
      this.#minutes[place] = minute;
      this.#successes[place] = 0;
      this.#errors[place] = 0;
    }
    const counts = success ? this.#successes : this.#errors;
    counts[place] = (counts[place] ?? 0) + 1;
  }

  /** The 60 minutes up to the one of `nowMs`, oldest first; minutes without requests are zero. */
  read(nowMs: number): MinutePoint[] {
    const last = Math.floor(nowMs / MINUTE_MS);
    return Array.from({ length: MINUTES }, (_, i) => {
      const minute = last - MINUTES + 1 + i;
      const place = minute % MINUTES;
      const known = this.#minutes[place] === minute;
      return {
        minute: new Date(minute * MINUTE_MS).toISOString(),
        success: known ? (this.#successes[place] ?? 0) : 0,
        error: known ? (this.#errors[place] ?? 0) : 0,
      };
    });
  }
}
