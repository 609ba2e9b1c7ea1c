/** Slots of an endpoint that does not tell how many it has. */
export const SLOTS_DEFAULT = 8;

/** How a request ended. */
export interface RequestEnd {
  success: boolean;
  /** When it ended (unix ms). */
  nowMs: number;
  /** From the sending of the request to the end of the answer. */
  latencyMs: number;
}

/**
 * What an endpoint does for us, and did. Which slots are free follows from our own requests only:
 * numbers that an endpoint reports are seconds old and would keep slots closed that nobody frees.
 */
export class Load {
  /** Requests that the endpoint can work on at the same time. */
  slots: number;
  /** Our requests that it works on. */
  active = 0;
  /** Those of them that were sent to measure it. */
  exploring = 0;
  /** Number of the selection that chose it last; 0 for never. */
  lastTurn = 0;
  successes = 0;
  errors = 0;
  latencyTotalMs = 0;

  constructor(slots: number = SLOTS_DEFAULT) {
    this.slots = slots;
  }

  /** Begins a request: it counts as active until it is finished or cancelled. */
  begin(exploring = false): ActiveRequest {
    this.active += 1;
    if (exploring) this.exploring += 1;
    return new ActiveRequest(this, exploring);
  }
}

/** One request of an endpoint. Whatever happens, it is counted down exactly once. */
export class ActiveRequest {
  readonly #load: Load;
  #exploring: boolean;
  #open = true;

  constructor(load: Load, exploring: boolean) {
    this.#load = load;
    this.#exploring = exploring;
  }

  /** The endpoint is measured by this request, or the attempt failed: others may explore again. */
  explored(): void {
    if (!this.#exploring) return;
    this.#exploring = false;
    this.#load.exploring -= 1;
  }

  /** Ends the request and counts it; false if it had ended before. */
  finish({ success, latencyMs }: RequestEnd): boolean {
    if (!this.#open) return false;
    this.#close();
    const load = this.#load;
    if (success) load.successes += 1;
    else load.errors += 1;
    load.latencyTotalMs += latencyMs;
    return true;
  }

  /** Ends the request without counting success or error: it was never sent, or the client left. */
  cancel(): boolean {
    if (!this.#open) return false;
    this.#close();
    return true;
  }

  #close(): void {
    this.#open = false;
    this.#load.active -= 1;
    this.explored();
  }
}
