import { TICK_MS, Ticker, type Ticking } from "../../lib/ticker.ts";
import { ApiError } from "../../wire/error.ts";

/** What a forwarded request waits for: the answer to begin or go on, or the client to read. */
type Phase = "answer" | "rest" | "client";

/** Longest silence towards a client that can be told that its answer is still to come. */
const PING_INTERVAL_MS = 15_000;

/** Who waits for an answer. */
export interface Caller {
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Why the request has to end although its client waits. Default: it need not. */
  readonly end?: ApiError | undefined;
}

type TickClock = Pick<Ticker, "add" | "remove" | "nowMs">;

const ticker = new Ticker();

/**
 * The time limits of one forwarded request. Ends the request with `timeout` if the target is silent
 * too long, with `client_closed` if the client has left or stopped reading, and with what
 * `Caller.end` says. Limits are exact to some 50 ms.
 *
 * The client's signal is not read before the second tick: Bun creates it when it is first read, and
 * most short requests are answered by then.
 */
export class Deadlines implements Ticking {
  /** The target's name in errors, e.g. `endpoint gpu1`. */
  readonly #label: string;
  readonly #caller: Caller;
  /** Called once, when the request must end. */
  onEnd: (reason: ApiError) => void = ignore;
  /** Called with the reason, besides `onEnd`. */
  onStop: ((reason: ApiError) => void) | undefined;
  /** Called when the client has waited 15 s for the next piece, and every 15 s from then on. */
  onQuiet: (() => void) | undefined;
  #sentMs = Number.NEGATIVE_INFINITY;
  /** Since when the target is waited for; infinite while the client is. */
  #heardMs = Number.NEGATIVE_INFINITY;
  place = -1;
  readonly #clock: TickClock;
  #signal: AbortSignal | undefined;
  #onAbort = ignore;
  #phase: Phase = "answer";
  #limitMs = Number.POSITIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #contentGapMs = Number.POSITIVE_INFINITY;
  #contentDueMs = Number.POSITIVE_INFINITY;
  #open = true;
  #isNew = true;
  #reason: ApiError | undefined;

  constructor(label: string, caller: Caller, clock: TickClock = ticker) {
    this.#label = label;
    this.#caller = caller;
    this.#clock = clock;
    clock.add(this);
  }

  /** Why the request had to end; undefined if it did not. */
  get reason(): ApiError | undefined {
    return this.#reason;
  }

  /** Sets the limit: at most `limitMs` may pass until the next `wait` or `touch`. */
  wait(phase: Phase, limitMs: number): void {
    this.#limitMs = limitMs;
    this.touch(phase);
  }

  /** A sign of life: the limit of the last `wait` starts again, now in `phase`. */
  touch(phase: Phase): void {
    this.#phase = phase;
    this.#heardMs = phase === "client" ? Number.POSITIVE_INFINITY : this.#clock.nowMs;
    if (phase === "client") this.#sentMs = this.#clock.nowMs;
    this.#dueMs = this.#clock.nowMs + TICK_MS + this.#limitMs;
  }

  /** Sets the limits of the wait for content, and for more of it: `touch` does not renew them. */
  waitForContent({ firstMs, gapMs }: { firstMs: number; gapMs: number }): void {
    this.#contentGapMs = gapMs;
    this.#contentDueMs = this.#clock.nowMs + TICK_MS + firstMs;
  }

  /** The last content was sent: the wait for more of it starts. */
  renewContent(): void {
    this.#contentDueMs = this.#clock.nowMs + TICK_MS + this.#contentGapMs;
  }

  /**
   * Somebody else is to go on with the answer: nothing is late, and the client may leave. It hears
   * that its answer is still to come, also if the request had to end because its target was late.
   */
  waitForOther(): void {
    if (!this.#open) {
      this.#open = true;
      this.#signal = undefined;
      this.#clock.add(this);
    }
    this.wait("rest", Number.POSITIVE_INFINITY);
    this.#contentDueMs = Number.POSITIVE_INFINITY;
  }

  /** Ends the request, because the client no longer wants its answer. */
  cancel(): void {
    this.stop(clientGone());
  }

  /** Lifts all limits. Idempotent. */
  end(): void {
    this.#open = false;
    this.#clock.remove(this);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  tick(): void {
    const { end } = this.#caller;
    if (end !== undefined) return void this.stop(end);
    if (this.#isNew) this.#isNew = false;
    else if (this.#signal === undefined) {
      this.#onAbort = () => this.cancel();
      this.#signal = this.#caller.signal;
      if (this.#signal.aborted) return void this.cancel();
      this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    const isClientDue = this.#phase === "client";
    const dueMs = isClientDue ? this.#dueMs : Math.min(this.#dueMs, this.#contentDueMs);
    if (this.#clock.nowMs >= dueMs) return void this.stop(this.#silent());
    if (this.onQuiet === undefined || isClientDue) return;
    if (this.#clock.nowMs - this.#sentMs < PING_INTERVAL_MS) return;
    this.#sentMs = this.#clock.nowMs;
    this.onQuiet();
  }

  /**
   * Ends the request for this reason, unless it has ended. With `silentSinceMs`, only if the target
   * was waited for since then (`performance.now()`). Tells whether it has.
   */
  stop(reason: ApiError, silentSinceMs = Number.POSITIVE_INFINITY): boolean {
    if (!this.#open || this.#heardMs > silentSinceMs) return false;
    this.#reason = reason;
    this.end();
    this.onStop?.(reason);
    this.onEnd(reason);
    return true;
  }

  #silent(): ApiError {
    if (this.#phase === "client") return clientGone("it stopped reading");
    const toDo = this.#phase === "answer" ? "answer" : "continue its answer";
    const message = `Waiting for ${this.#label} to ${toDo} took too long. Try again later.`;
    return new ApiError("timeout", message);
  }
}

function ignore(): void {
  // The default of callbacks.
}

function clientGone(how = "it closed the connection"): ApiError {
  return new ApiError("client_closed", `The answer could not be sent to the client: ${how}.`);
}
