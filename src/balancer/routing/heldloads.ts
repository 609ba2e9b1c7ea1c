import { decideColdStart, type HeldLoad, isCold } from "./coldstart.ts";
import type { ModelQueue } from "./modelqueue.ts";
import type { Routable } from "./slotrequest.ts";

/**
 * Loads that are not begun because those who wait for the model get a slot sooner where it is
 * loaded. Each is considered again when it would have been done.
 */
export class HeldLoads<E extends Routable> {
  readonly #onHeld: (endpoint: E, untilMs: number) => void;
  /** When each endpoint is considered again for each model. */
  readonly #untilMs = new Map<E, Map<string, number>>();

  /** Calls `onHeld` for an endpoint that is to be offered again, and when. */
  constructor(onHeld: (endpoint: E, untilMs: number) => void) {
    this.#onHeld = onHeld;
  }

  /** Unless it is held already for this model, and considered again no later. */
  hold({ cold, loadMs }: HeldLoad<E>, { model, nowMs }: { model: string; nowMs: number }): void {
    const held = this.#untilMs.get(cold) ?? new Map<string, number>();
    const untilMs = nowMs + loadMs;
    const knownMs = held.get(model) ?? 0;
    if (knownMs > nowMs && knownMs <= untilMs) return;
    this.#untilMs.set(cold, held.set(model, untilMs));
    this.#onHeld(cold, untilMs);
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
    if (!isCold(warmth.stateOf(model))) return true;
    const leftMs = queue.servedAtMs + warmth.loadLeftMs(model, nowMs) - nowMs;
    if (leftMs <= 0) return true;
    if (!("wait" in decideColdStart(open(), { model, nowMs, waiting: queue.size }))) return true;
    this.hold({ cold: endpoint, loadMs: leftMs }, { model, nowMs });
    return false;
  }
}
