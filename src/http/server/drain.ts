import { withDeadline } from "../../lib/deadline.ts";
import { LinkedList, ListItem } from "../../lib/linkedlist.ts";
import { ApiError } from "../../wire/error.ts";

/** Paths that are served while draining, so that monitors see the state. */
const ALWAYS_OPEN = new Set(["/health", "/ready", "/api/health", "/v0/health", "/metrics"]);

/** Whether a path is one that monitors ask every few seconds. */
export function isProbe(path: string): boolean {
  return ALWAYS_OPEN.has(path);
}

/** How long a request that has to end may take to tell its client so. */
const END_MS_MAX = 1000;

/** What ends a request whose answer has not begun. */
type Cut = (reason: ApiError) => void;

class RunningRequest extends ListItem {
  readonly cut: Cut;

  constructor(cut: Cut) {
    super();
    this.cut = cut;
  }
}

/** Counts running requests. Once it is closing, it refuses new ones, and in the end it ends all. */
export class Drain {
  /** Called when what still runs has to end: those that wait for others are to be sent away. */
  onEnd: () => void = () => undefined;
  /** A list, because adding to a set costs a request several times as much. */
  readonly #running = new LinkedList<RunningRequest>();
  readonly #idle = Promise.withResolvers<void>();
  #closing = false;
  #reason: ApiError | undefined;
  #isRetiring = false;

  /** Number of requests whose response is not completely sent yet. */
  get active(): number {
    return this.#running.size;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Clients are to connect anew: another process takes their next requests. */
  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  /** Another process takes connections from now on. What comes here all the same is served. */
  retire(): void {
    this.#isRetiring = true;
  }

  /** Why the requests that still run must end; undefined while they need not. */
  get reason(): ApiError | undefined {
    return this.#reason;
  }

  /**
   * Counts a request as running; the returned function ends it and is idempotent. `cut` is called
   * if it must be answered although nothing came of it. Throws `draining` (503, `Retry-After`) once
   * closing.
   */
  enter(path: string, cut: Cut): () => void {
    if (ALWAYS_OPEN.has(path)) return () => undefined;
    if (this.#closing) throw shuttingDown();
    const running = new RunningRequest(cut);
    this.#running.push(running);
    return () => {
      if (!this.#running.remove(running)) return;
      if (this.#closing && this.#running.size === 0) this.#idle.resolve();
    };
  }

  /**
   * Refuses new requests and waits for the running ones, at most `timeoutMs`. Then it ends them:
   * first those that are forwarded or wait for a slot, which know how (`reason`, `onEnd`), then
   * whatever is left. False: not all had ended by themselves.
   */
  async close(timeoutMs: number): Promise<boolean> {
    this.#closing = true;
    if (await this.#isIdleIn(timeoutMs)) return true;
    this.#reason = shuttingDown();
    this.onEnd();
    if (await this.#isIdleIn(END_MS_MAX)) return false;
    for (const { cut } of this.#running) cut(this.#reason);
    await this.#isIdleIn(END_MS_MAX);
    return false;
  }

  async #isIdleIn(timeoutMs: number): Promise<boolean> {
    if (this.#running.size === 0) return true;
    return (await withDeadline(this.#idle.promise, { timeoutMs })) !== "timeout";
  }
}

function shuttingDown(): ApiError {
  const message = "llmlb is shutting down: send the request again shortly.";
  return new ApiError("draining", message, { retryAfterS: 5 });
}
