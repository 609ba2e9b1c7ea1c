/** Ends what nobody uses: runs once, so long after the last use as was said last. */
export class IdleTimer {
  readonly #defaultMs: number;
  readonly #onExpire: () => void;
  #ms: number;
  #timer: Timer | undefined;

  /** `defaultMs` may be `Infinity`: never. */
  constructor(defaultMs: number, onExpire: () => void) {
    this.#defaultMs = defaultMs;
    this.#ms = defaultMs;
    this.#onExpire = onExpire;
  }

  /** The time from now on, in ms. */
  set(ms: number): void {
    this.#ms = ms;
  }

  /** Nobody uses it any more. */
  start(): void {
    this.stop();
    if (!Number.isFinite(this.#ms)) return;
    this.#timer = setTimeout(this.#onExpire, this.#ms);
    this.#timer.unref();
  }

  /** Somebody uses it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** It has ended: the next time the default holds. */
  reset(): void {
    this.stop();
    this.#ms = this.#defaultMs;
  }

  /** When it runs if it was used last at `usedMs`; undefined: never. */
  expiresMs(usedMs: number): number | undefined {
    return Number.isFinite(this.#ms) ? usedMs + this.#ms : undefined;
  }
}
