import type { LoadFailure } from "../../engine/loaderror.ts";
import { type BackoffOptions, backoffMs } from "../../lib/backoff.ts";

/** Why an engine is down: it could not load its model, or it ended while serving. */
export type EngineFailure =
  | { during: "load"; reason: LoadFailure; message: string }
  | { during: "service"; message: string };

/** When a failed engine may be started again: at a time, or once the files' fingerprint differs. */
export type RetryCondition = { atMs: number } | { fingerprintNot: string };

/** The state of one engine. `streak` is the number of failures in a row, see `nextState`. */
export type Lifecycle =
  | { state: "unloaded"; streak: number; last?: EngineFailure }
  | { state: "loading"; streak: number; progress: number; fingerprint: string }
  | { state: "ready"; streak: number; sinceMs: number }
  | { state: "failed"; streak: number; last: EngineFailure; retry: RetryCondition };

export type LifecycleEvent =
  | { type: "progress"; fraction: number }
  | { type: "loaded"; nowMs: number }
  | { type: "load_failed"; nowMs: number; reason: LoadFailure; message: string }
  | { type: "crashed"; nowMs: number; message: string }
  | { type: "stopped" };

/** What a request has to do: start the engine, wait for its load, use it, or fail. */
export type UseDecision =
  | { do: "start" }
  | { do: "wait" }
  | { do: "use" }
  | { do: "refuse"; failure: EngineFailure; retryAfterMs: number | undefined };

export const INITIAL: Lifecycle = { state: "unloaded", streak: 0 };

/** An engine that served for this long before it crashed is not in a crash loop. */
const STABLE_MS = 60_000;

const BACKOFF: BackoffOptions = { firstMs: 1000, maxMs: 60_000 };

/** The engine was not started at all, so nothing is known of the model. */
const NOT_TRIED: ReadonlySet<LoadFailure> = new Set(["cancelled", "no_room", "too_large"]);

/** With the same files, these loads fail again: they are retried once the files have changed. */
const LASTING: ReadonlySet<LoadFailure> = new Set([
  "not_found",
  "not_gguf",
  "corrupt",
  "unknown_architecture",
  "bad_arguments",
]);

/**
 * What a request has to do; `fingerprint` is that of the model's files as they are now.
 *
 * | state    | condition                         | answer | next    |
 * |----------|-----------------------------------|--------|---------|
 * | unloaded |                                   | start  | loading |
 * | loading  |                                   | wait   | loading |
 * | ready    |                                   | use    | ready   |
 * | failed   | back-off over, or files changed   | start  | loading |
 * | failed   | otherwise                         | refuse | failed  |
 */
export function decideUse(
  life: Lifecycle,
  now: { nowMs: number; fingerprint: string },
): UseDecision {
  if (life.state === "loading") return { do: "wait" };
  if (life.state === "ready") return { do: "use" };
  if (life.state === "unloaded" || isOver(life.retry, now)) return { do: "start" };
  const retryAfterMs = "atMs" in life.retry ? life.retry.atMs - now.nowMs : undefined;
  return { do: "refuse", failure: life.last, retryAfterMs };
}

/** The state after a request has started the engine. */
export function startLoading(life: Lifecycle, fingerprint: string): Lifecycle {
  return { state: "loading", streak: life.streak, progress: 0, fingerprint };
}

/**
 * The state after an event. Events that do not fit the state change nothing.
 *
 * | state    | event                            | next                                      |
 * |----------|----------------------------------|-------------------------------------------|
 * | loading  | progress                         | loading                                   |
 * | loading  | loaded                           | ready                                     |
 * | loading  | load_failed, cancelled, no room  | unloaded                                  |
 * | loading  | load_failed, a lasting reason    | failed until the files change             |
 * | loading  | load_failed, any other reason    | failed for a back-off; streak + 1         |
 * | ready    | crashed after ≥ 1 min of service | unloaded; streak 1                        |
 * | ready    | crashed sooner, first of a row   | unloaded; streak 1                        |
 * | ready    | crashed sooner, again            | failed for a back-off; streak + 1         |
 * | any      | stopped                          | unloaded; streak 0                        |
 *
 * The back-off is 1 s for the first failure that has one, doubled with each further, at most 60 s.
 */
export function nextState(life: Lifecycle, event: LifecycleEvent): Lifecycle {
  if (event.type === "stopped") return INITIAL;
  if (life.state === "loading") {
    if (event.type === "progress") return { ...life, progress: event.fraction };
    if (event.type === "loaded") {
      return { state: "ready", streak: life.streak, sinceMs: event.nowMs };
    }
    if (event.type === "load_failed") return afterLoadFailure(life, event);
  }
  if (life.state === "ready" && event.type === "crashed") return afterCrash(life, event);
  return life;
}

/** A state as `GET /api/system` shows it. A failed engine whose back-off is over is unloaded. */
export function statusOf(life: Lifecycle, now: { nowMs: number }): EngineStatus {
  switch (life.state) {
    case "loading":
      return { state: "loading", progress: life.progress };
    case "ready":
      return { state: "ready" };
    case "unloaded":
      return { state: "unloaded", ...(life.last ? { error: life.last.message } : {}) };
    case "failed": {
      const mustWait = !("atMs" in life.retry) || life.retry.atMs > now.nowMs;
      return { state: mustWait ? "failed" : "unloaded", error: life.last.message };
    }
  }
}

/** An engine's state for people. */
export interface EngineStatus {
  state: Lifecycle["state"];
  /** How much of the load is done, from 0 to 1. */
  progress?: number;
  /** Why it failed last. */
  error?: string;
}

type Loading = Extract<Lifecycle, { state: "loading" }>;
type Ready = Extract<Lifecycle, { state: "ready" }>;

function afterLoadFailure(
  life: Loading,
  { nowMs, reason, message }: Extract<LifecycleEvent, { type: "load_failed" }>,
): Lifecycle {
  const last: EngineFailure = { during: "load", reason, message };
  if (NOT_TRIED.has(reason)) return { state: "unloaded", streak: life.streak };
  if (LASTING.has(reason)) {
    return {
      state: "failed",
      streak: life.streak,
      last,
      retry: { fingerprintNot: life.fingerprint },
    };
  }
  const atMs = nowMs + backoffMs(life.streak, BACKOFF);
  return { state: "failed", streak: life.streak + 1, last, retry: { atMs } };
}

function afterCrash(
  life: Ready,
  { nowMs, message }: Extract<LifecycleEvent, { type: "crashed" }>,
): Lifecycle {
  const last: EngineFailure = { during: "service", message };
  const streak = nowMs - life.sinceMs >= STABLE_MS ? 1 : life.streak + 1;
  if (streak === 1) return { state: "unloaded", streak, last };
  const atMs = nowMs + backoffMs(streak - 2, BACKOFF);
  return { state: "failed", streak, last, retry: { atMs } };
}

function isOver(
  retry: RetryCondition,
  { nowMs, fingerprint }: { nowMs: number; fingerprint: string },
): boolean {
  return "atMs" in retry ? nowMs >= retry.atMs : fingerprint !== retry.fingerprintNot;
}
