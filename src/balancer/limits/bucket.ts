/** What a bucket holds, and when (unix ms). It is a plain object, so that it can be stored. */
export interface BucketState {
  level: number;
  at: number;
}

const MINUTE_MS = 60_000;

/**
 * An allowance that fills up evenly, to `perMinute` in a minute, and never holds more than that. It
 * may be overdrawn: what a request costs is known after its end. Pure: times come with the calls.
 */
export class TokenBucket {
  readonly #state: BucketState;
  perMinute: number;

  constructor(perMinute: number, state: BucketState | undefined, nowMs: number) {
    this.perMinute = perMinute;
    this.#state = state ?? { level: perMinute, at: nowMs };
  }

  /** What it holds now; negative if it is overdrawn. */
  level(nowMs: number): number {
    const { level, at } = this.#state;
    const filled = level + (Math.max(0, nowMs - at) * this.perMinute) / MINUTE_MS;
    return Math.min(this.perMinute, filled);
  }

  /** Takes something out, or puts it back if it is negative. */
  take(amount: number, nowMs: number): void {
    this.#state.level = Math.min(this.perMinute, this.level(nowMs) - amount);
    this.#state.at = nowMs;
  }

  /** In how many ms it holds so much, or as much as it can; 0 if it does. */
  msUntil(amount: number, nowMs: number): number {
    if (this.perMinute === 0) return amount > 0 ? MINUTE_MS : 0;
    const lacking = Math.min(amount, this.perMinute) - this.level(nowMs);
    return lacking <= 0 ? 0 : Math.ceil((lacking * MINUTE_MS) / this.perMinute);
  }

  get state(): BucketState {
    return this.#state;
  }
}
