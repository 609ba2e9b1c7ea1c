import { decideColdStart, type HeldLoad } from "./coldstart.ts";
import type { ModelQueue } from "./modelqueue.ts";
import type { Routable } from "./slotrequest.ts";

/**
 * Loads that are not begun because those who wait for the model get a slot sooner where it is
 * loaded. Each is considered again when it would have been done.
 */
export class HeldLoads<E extends Routable> {
  readonly #onHeld: (endpoint: E, untilMs: number) => void;
  /** When each endpoint is considered again. */
  readonly #untilMs = new Map<E, number>();

  /** Calls `onHeld` for an endpoint that is to be offered again, and when. */
  constructor(onHeld: (endpoint: E, untilMs: number) => void) {
    this.#onHeld = onHeld;
  }

  hold({ cold, loadMs }: HeldLoad<E>, nowMs: number): void {
    if ((this.#untilMs.get(cold) ?? 0) > nowMs) return;
    this.#untilMs.set(cold, nowMs + loadMs);
    this.#onHeld(cold, nowMs + loadMs);
  }

  forget(endpoint: E): void {
    this.#untilMs.delete(endpoint);
  }

  /**
   * Whether an endpoint with a free slot may have the requests of a queue, of all that are `open`
   * for them:
   *
   * 1. It has the model loaded, or loads it: yes.
   * 2. Nobody in the queue was served for as long as its load takes: yes.
   * 3. Elsewhere they get a slot sooner: no, it is held.
   * 4. Otherwise: yes.
   */
  mayHave(
    endpoint: E,
    queue: ModelQueue<E>,
    at: { open: () => readonly E[]; nowMs: number },
  ): boolean {
    const { model } = queue;
    const { nowMs, open } = at;
    const { warmth } = endpoint;
    if (warmth.isWarm(model) || warmth.stateOf(model) === "loading") return true;
    const leftMs = queue.servedAtMs + warmth.loadLeftMs(model, nowMs) - nowMs;
    if (leftMs <= 0) return true;
    if (!("wait" in decideColdStart(open(), { model, nowMs, waiting: queue.size }))) return true;
    this.hold({ cold: endpoint, loadMs: leftMs }, nowMs);
    return false;
  }
}
