/** Something that wants to know how late it is, roughly. */
export interface Ticking {
  /** Called every `TICK_MS` or so. */
  tick(): void;
}

/** Limits of seconds and minutes need no timers of their own: they are looked at this often. */
export const TICK_MS = 25;

/** Without anything to tell, it goes on ticking that long: requests come in rows. */
const IDLE_TICKS_MAX = 40;

/**
 * One timer for any number of time limits. A timer for each request, started again with each piece
 * of a stream, costs more than all else that is done about its limits.
 */
export class Ticker {
  readonly #all = new Set<Ticking>();
  #timer: Timer | undefined;
  #idleTicks = 0;
  /** The time of the last tick (`performance.now()`); at most a tick old while anything is in. */
  nowMs = 0;

  add(one: Ticking): void {
    this.#all.add(one);
    if (this.#timer !== undefined) return;
    this.nowMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  remove(one: Ticking): void {
    this.#all.delete(one);
  }

  #tick(): void {
    this.nowMs = performance.now();
    for (const one of this.#all) one.tick();
    this.#idleTicks = this.#all.size === 0 ? this.#idleTicks + 1 : 0;
    if (this.#idleTicks < IDLE_TICKS_MAX) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#idleTicks = 0;
  }
}
