import { TICK_MS, Ticker, type Ticking } from "../../lib/ticker.ts";
import { ApiError } from "../../wire/error.ts";

/** Whom a forwarded request waits for at the moment. */
export type Awaited = "answer" | "rest" | "client";

const ticker = new Ticker();

/**
 * Ends one forwarded request when somebody it waits for is gone or silent too long: `client_closed`
 * or `timeout`. Limits are exact to some 50 ms.
 *
 * The client's signal is not touched before the first tick: Bun makes it when it is asked for, and
 * most short requests are answered by then.
 */
export class Deadlines implements Ticking {
  /** How errors call the target, e.g. `endpoint gpu1`. */
  readonly #label: string;
  readonly #caller: { readonly signal: AbortSignal };
  /** Called once when the request must end; `reason` tells why. */
  onEnd: (reason: ApiError) => void = ignore;
  place = -1;
  #signal: AbortSignal | undefined;
  #onAbort = ignore;
  #awaited: Awaited = "answer";
  #limitMs = Number.POSITIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #open = true;
  #reason: ApiError | undefined;

  constructor(label: string, caller: { readonly signal: AbortSignal }) {
    this.#label = label;
    this.#caller = caller;
    ticker.add(this);
  }

  /** Why the request was ended, if it was. */
  get reason(): ApiError | undefined {
    return this.#reason;
  }

  /** From now on, at most `limitMs` may pass until the next `wait` or `touch`. */
  wait(awaited: Awaited, limitMs: number): void {
    this.#limitMs = limitMs;
    this.touch(awaited);
  }

  /** A sign of life: the limit of the last `wait` starts again, now for `awaited`. */
  touch(awaited: Awaited): void {
    this.#awaited = awaited;
    this.#dueMs = ticker.nowMs + TICK_MS + this.#limitMs;
  }

  /** The client does not want the answer any more. */
  cancel(): void {
    this.#stop(clientGone());
  }

  /** Stops watching. Idempotent. */
  end(): void {
    this.#open = false;
    ticker.remove(this);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  tick(): void {
    if (this.#signal === undefined) {
      this.#onAbort = () => this.cancel();
      this.#signal = this.#caller.signal;
      if (this.#signal.aborted) return void this.cancel();
      this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    if (ticker.nowMs >= this.#dueMs) this.#stop(this.#silent());
  }

  #stop(reason: ApiError): void {
    if (!this.#open) return;
    this.#reason = reason;
    this.end();
    this.onEnd(reason);
  }

  #silent(): ApiError {
    if (this.#awaited === "client") return clientGone("it stopped reading");
    const toDo = this.#awaited === "answer" ? "answer" : "continue its answer";
    const message = `Waiting for ${this.#label} to ${toDo} took too long. Try again later.`;
    return new ApiError("timeout", message);
  }
}

function ignore(): void {
  // Until somebody wants to know.
}

function clientGone(how = "it closed the connection"): ApiError {
  return new ApiError("client_closed", `The answer could not be sent to the client: ${how}.`);
}
