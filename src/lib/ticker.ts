/** Something that wants to know how late it is, roughly. */
export interface Ticking {
  /** Called every `TICK_MS` or so. */
  tick(): void;
  /** The ticker's own note of where it is; -1 before it is added. */
  place: number;
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
  /** Not a set: adding to one and removing again costs a request 4 µs, mostly in the collector. */
  readonly #all: Ticking[] = [];
  #timer: Timer | undefined;
  #idleTicks = 0;
  /** The time of the last tick (`performance.now()`); at most a tick old while anything is in. */
  nowMs = 0;

  add(one: Ticking): void {
    one.place = this.#all.push(one) - 1;
    if (this.#timer !== undefined) return;
    this.nowMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Forgets one, if it is there; the last one takes its place. */
  remove(one: Ticking): void {
    if (one.place < 0) return;
    const last = this.#all.pop();
    if (last !== undefined && last !== one) {
      this.#all[one.place] = last;
      last.place = one.place;
    }
    one.place = -1;
  }

  #tick(): void {
    this.nowMs = performance.now();
    // From the end, because who is removed meanwhile gives its place to one that was called before.
    for (let at = this.#all.length - 1; at >= 0; at -= 1) this.#all[at]?.tick();
    this.#idleTicks = this.#all.length === 0 ? this.#idleTicks + 1 : 0;
    if (this.#idleTicks < IDLE_TICKS_MAX) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#idleTicks = 0;
  }
}
