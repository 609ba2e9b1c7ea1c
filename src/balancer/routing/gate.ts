import { type WaitOptions, waitFor } from "../../lib/deadline.ts";
import { monotonicMs } from "../../lib/monotonic.ts";
import type { Grant } from "./grant.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
import type { QueueWait, Routable, SlotRequest } from "./slotrequest.ts";

export interface GateOptions<E extends Routable> extends Omit<SchedulerOptions<E>, "onBlocked"> {
  /** Longest wait for a slot; default 60 s. */
  timeoutMs?: number;
  /** Unix time in milliseconds that never goes back; default the machine's. */
  now?: () => number;
}

/** How a request got through the gate, or why it did not. */
export type AcquireResult<E extends Routable> =
  | { kind: "granted"; grant: Grant<E> }
  | { kind: "rejected" | "unavailable" | "timeout" | "aborted" | "closed" };

/** What a request waits for: see `SlotRequest`. */
export type AcquireRequest<E> = Omit<SlotRequest<E>, "nowMs" | "sinceMs" | "place">;

/** Where requests wait for a slot: the scheduler with a clock, timers and promises. */
export class SlotGate<E extends Routable> {
  readonly scheduler: Scheduler<E>;
  readonly now: () => number;
  #timeoutMs: number;
  /** Per endpoint with open circuits: the ends of their back-offs. */
  readonly #timers = new Map<E, Set<Timer>>();

  constructor({ timeoutMs = 60_000, now = monotonicMs, ...options }: GateOptions<E>) {
    this.now = now;
    this.#timeoutMs = timeoutMs;
    const onBlocked = (endpoint: E, untilMs: number) => this.#offerAt(endpoint, untilMs);
    this.scheduler = new Scheduler({ ...options, onBlocked });
  }

  /**
   * Waits for a slot, at most the gate's time or the request's own, whichever is shorter. Whoever
   * is granted one has to give it back, also when the client has left meanwhile. Never throws.
   */
  acquire(
    request: AcquireRequest<E>,
    wait: WaitOptions = {},
  ): AcquireResult<E> | Promise<AcquireResult<E>> {
    const nowMs = this.now();
    const outcome = this.scheduler.request({ ...request, nowMs });
    switch (outcome.kind) {
      case "queued":
        return this.#queued(outcome.waiting, nowMs + this.#limitMs(wait), wait.signal);
      case "delay":
        return this.#delayed(request, outcome, wait);
      default:
        return outcome;
    }
  }

  /** Changes how many may wait, and how long those who come from now on. */
  change({ queueMax, timeoutMs }: { queueMax: number; timeoutMs: number }): void {
    this.scheduler.queueMax = queueMax;
    this.#timeoutMs = timeoutMs;
  }

  /** An endpoint takes more than before: it has more slots or models. */
  offer(endpoint: E): void {
    this.scheduler.offer(endpoint, this.now());
  }

  /** An endpoint came online. */
  cameOnline(endpoint: E): void {
    this.#forgetTimers(endpoint);
    this.scheduler.cameOnline(endpoint, this.now());
  }

  /** An endpoint went offline or is removed. */
  wentOffline(endpoint: E): void {
    this.#forgetTimers(endpoint);
    this.scheduler.wentOffline(endpoint);
  }

  /** Sends all away who wait and lets nobody in any more. */
  close(): void {
    for (const endpoint of [...this.#timers.keys()]) this.#forgetTimers(endpoint);
    this.scheduler.close();
  }

  #limitMs({ timeoutMs }: WaitOptions): number {
    return Math.min(this.#timeoutMs, timeoutMs ?? this.#timeoutMs);
  }

  async #delayed(
    request: AcquireRequest<E>,
    { delayMs, place }: { delayMs: number; place: { giveUp(): void } },
    wait: WaitOptions,
  ): Promise<AcquireResult<E>> {
    const sinceMs = this.now();
    const endsAtMs = sinceMs + this.#limitMs(wait);
    const timeoutMs = Math.min(delayMs, endsAtMs - sinceMs);
    const end = await waitFor<never>(() => () => undefined, { timeoutMs, signal: wait.signal });
    if (end === "aborted") {
      place.giveUp();
      return { kind: "aborted" };
    }
    const outcome = this.scheduler.request({ ...request, nowMs: this.now(), sinceMs, place });
    if (outcome.kind === "queued") return this.#queued(outcome.waiting, endsAtMs, wait.signal);
    return outcome.kind === "delay" ? { kind: "rejected" } : outcome;
  }

  async #queued(
    waiting: QueueWait<E>,
    endsAtMs: number,
    signal: AbortSignal | undefined,
  ): Promise<AcquireResult<E>> {
    const timeoutMs = Math.max(0, endsAtMs - this.now());
    const settled = await waitFor<AcquireResult<E>>(
      (settle) => {
        waiting.onSettled = settle;
        return () => waiting.leave(signal?.aborted ? "aborted" : "timeout");
      },
      { timeoutMs, signal },
    );
    if (typeof settled !== "string") return settled;
    // A client that was gone before it began to wait.
    if (settled === "aborted") waiting.leave("aborted");
    return { kind: settled };
  }

  #forgetTimers(endpoint: E): void {
    for (const timer of this.#timers.get(endpoint) ?? []) clearTimeout(timer);
    this.#timers.delete(endpoint);
  }

  #offerAt(endpoint: E, untilMs: number): void {
    const timers = this.#timers.get(endpoint) ?? new Set();
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        if (timers.size === 0) this.#timers.delete(endpoint);
        this.offer(endpoint);
      },
      Math.ceil(untilMs - this.now()),
    );
    timer.unref();
    this.#timers.set(endpoint, timers.add(timer));
  }
}
