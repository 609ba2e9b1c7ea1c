import type { WaitOptions } from "../../lib/deadline.ts";
import { Readiness, type ReadyOutcome } from "./readiness.ts";

/** Requests that may wait for endpoints that start. */
const WAITERS_MAX = 1024;

/** Where requests wait whose model nobody has yet while endpoints are still to come. */
export class AvailabilityWaiters {
  /** There is nothing to wait for. */
  isClosed = false;
  #arriving = false;
  readonly #readiness = new Readiness(() => this.#arriving);

  /** An endpoint has come, or will not: all who wait look again. */
  notify(): void {
    this.#arriving = true;
    this.#readiness.notify();
    this.#arriving = false;
  }

  /** Nothing comes any more. */
  close(): void {
    this.isClosed = true;
    this.notify();
  }

  /** Waits for the next arrival. Never throws. */
  next(options: WaitOptions): Promise<ReadyOutcome> {
    return this.#readiness.waitForReady(WAITERS_MAX, options);
  }
}
