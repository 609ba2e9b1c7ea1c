/** Whoever asks later than this after the one before has nobody to go on with. */
const ALONE_MS = 0.1;

const AT_ONCE = Promise.resolve();

/**
 * The turns of the event loop: what came in together can be answered together.
 *
 * Meant for what is written to sockets. Whoever reads on the other side may sleep, and waking it is
 * dearer than all that we do for a small request; written one right after the other, many wake it
 * once. Who comes alone does not wait: a turn more costs him some 20 µs.
 */
export class TurnTasks {
  readonly #now: () => number;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #end: Promise<void> | undefined;

  /** `now`: milliseconds. Default: the process's clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Settles when everything that came in with this turn has been handed out, for all who ask in
   * between in their order; at once for who is the first to ask for a tenth of a millisecond.
   */
  end(): Promise<void> {
    const nowMs = this.#now();
    const isAlone = nowMs - this.#askedAtMs > ALONE_MS;
    this.#askedAtMs = nowMs;
    if (this.#end !== undefined) return this.#end;
    if (isAlone) return AT_ONCE;
    this.#end = new Promise((resolve) => {
      setImmediate(() => {
        this.#end = undefined;
        resolve();
      });
    });
    return this.#end;
  }
}

const turns = new TurnTasks();

/** The end of this turn of the process, see `Turns`. */
export function endOfTurn(): Promise<void> {
  return turns.end();
}
