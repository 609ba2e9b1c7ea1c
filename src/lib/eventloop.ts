/** A call that comes this much later than the one before is not part of a burst. */
const ALONE_MS = 0.1;

const AT_ONCE = Promise.resolve();

/**
 * Bundles work at the end of a turn of the event loop, so that requests that came in together are
 * answered together.
 *
 * It is meant for writes to sockets. Waking the sleeping process on the other side costs more than
 * all our work for a small request; many writes in a row wake it only once. A single call does not
 * wait, because the rest of its turn would cost it some 20 µs.
 */
export class TurnTasks {
  readonly #now: () => number;
  #calledAtMs = Number.NEGATIVE_INFINITY;
  #end: Promise<void> | undefined;

  /** `now`: a clock in milliseconds. Default: the clock of the process. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Resolves when all events of this turn have been handled, for all its callers in the order of
   * their calls. Resolves at once if there was no call in the last tenth of a millisecond.
   */
  end(): Promise<void> {
    const nowMs = this.#now();
    const isAlone = nowMs - this.#calledAtMs > ALONE_MS;
    this.#calledAtMs = nowMs;
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

/** Resolves at the end of this turn of the process, see `TurnTasks`. */
export function endOfTurn(): Promise<void> {
  return turns.end();
}

let last = Promise.resolve();

/**
 * Resolves in a turn of the process that nobody else who asked has: long work that asks for one
 * between its slices leaves time for others, however much of such work there is.
 */
export function ownTurn(): Promise<void> {
  last = last.then(nextTurn);
  return last;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How long one piece of long work takes before others have their turn. */
const TURN_MS = 4;

/** Calls `step` until it returns true, in as many turns as that takes. Throws what it throws. */
export async function stepInTurns(step: () => boolean): Promise<void> {
  for (;;) {
    await ownTurn();
    const endMs = performance.now() + TURN_MS;
    do if (step()) return;
    while (performance.now() < endMs);
  }
}

/** What `change` makes of each item; of many, in as many turns as that takes. */
export async function mapInTurns<T, R>(items: Iterable<T>, change: (item: T) => R): Promise<R[]> {
  const changed: R[] = [];
  let endMs = performance.now() + TURN_MS;
  for (const item of items) {
    if (performance.now() >= endMs) {
      await ownTurn();
      endMs = performance.now() + TURN_MS;
    }
    changed.push(change(item));
  }
  return changed;
}
