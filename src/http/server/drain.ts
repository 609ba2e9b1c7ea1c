import { withDeadline } from "../../lib/deadline.ts";
import { ApiError } from "../../wire/error.ts";

/** Paths that are served while draining, so that monitors see the state. */
const ALWAYS_OPEN = new Set(["/health", "/ready", "/api/health", "/v0/health", "/metrics"]);

/** Counts running requests. Once it is closing, it refuses new ones. */
export class Drain {
  #active = 0;
  #closing = false;
  #idle = Promise.withResolvers<void>();

  /** Number of requests whose response is not completely sent yet. */
  get active(): number {
    return this.#active;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /**
   * Counts a request as running; the returned function ends it and is idempotent.
   * Throws `draining` (503, `Retry-After`) once closing.
   */
  enter(path: string): () => void {
    if (ALWAYS_OPEN.has(path)) return () => undefined;
    if (this.#closing) {
      throw new ApiError("draining", "llmlb is shutting down: send the request again shortly.", {
        retryAfterS: 5,
      });
    }
    this.#active += 1;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#active -= 1;
      if (this.#closing && this.#active === 0) this.#idle.resolve();
    };
  }

  /** Refuses new requests and waits for the running ones. False: not all ended in `timeoutMs`. */
  async close(timeoutMs: number): Promise<boolean> {
    this.#closing = true;
    if (this.#active === 0) return true;
    return (await withDeadline(this.#idle.promise, { timeoutMs })) !== "timeout";
  }
}
