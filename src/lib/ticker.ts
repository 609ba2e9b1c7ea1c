/** An object that a ticker calls regularly. */
export interface Ticking {
  /** Called about every `TICK_MS`. */
  tick(): void;
  /** Set by the ticker: the index in its list; -1 while it is in none. */
  place: number;
}

/** Time between two ticks. Limits of seconds and minutes need not be checked more often. */
export const TICK_MS = 25;

/** Ticks that an empty ticker goes on, because the next request is often near. */
const IDLE_TICKS_MAX = 40;

/**
 * One timer for any number of time limits. A timer for each request, restarted with each piece of a
 * stream, would cost more than all other work for its limits.
 */
export class Ticker {
  /** Not a set: adding to one and removing costs 4 µs a request, mostly garbage collection. */
  readonly #all: Ticking[] = [];
  #timer: Timer | undefined;
  #idleTicks = 0;
  /** The time of the last tick (`performance.now()`); at most a tick old unless it is empty. */
  nowMs = 0;

  add(one: Ticking): void {
    one.place = this.#all.push(one) - 1;
    if (this.#timer !== undefined) return;
    this.nowMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Removes an object, if it is there; the last of the list takes its place. */
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
    // From the end: an object that is removed meanwhile is replaced by one that was called already.
    for (let at = this.#all.length - 1; at >= 0; at -= 1) this.#all[at]?.tick();
    this.#idleTicks = this.#all.length === 0 ? this.#idleTicks + 1 : 0;
    if (this.#idleTicks < IDLE_TICKS_MAX) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#idleTicks = 0;
  }
}
