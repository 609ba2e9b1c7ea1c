import type { LoadFailure } from "../../engine/launch.ts";
import { type BackoffOptions, backoffMs } from "../../lib/backoff.ts";

/** Why an engine is down: it could not load its model, or it ended while serving. */
export type Failure =
  | { during: "load"; reason: LoadFailure; message: string }
  | { during: "service"; message: string };

/** What ends a failed state: a moment, or a change of the model's files. */
export type RetryWhen = { atMs: number } | { filesNot: string };

/** The life of one engine. `streak` counts failures in a row, see `decide`. */
export type Lifecycle =
  | { state: "unloaded"; streak: number; last?: Failure }
  | { state: "loading"; streak: number; progress: number; files: string }
  | { state: "ready"; streak: number; sinceMs: number }
  | { state: "failed"; streak: number; last: Failure; retry: RetryWhen };

export type LifecycleEvent =
  | { type: "progress"; fraction: number }
  | { type: "loaded"; nowMs: number }
  | { type: "load_failed"; nowMs: number; reason: LoadFailure; message: string }
  | { type: "crashed"; nowMs: number; message: string }
  | { type: "stopped" };

/** What a request finds: start the engine, wait for its load, use it, or be refused. */
export type Admission =
  | { do: "start" }
  | { do: "wait" }
  | { do: "use" }
  | { do: "refuse"; failure: Failure; retryAfterMs: number | undefined };

export const INITIAL: Lifecycle = { state: "unloaded", streak: 0 };

/** An engine that served this long before it ended is not in a crash loop. */
export const STABLE_MS = 60_000;

const RESTART: BackoffOptions = { firstMs: 1000, maxMs: 60_000 };

/** The same files and arguments fail again in the same way: no retry until the files change. */
const LASTING: ReadonlySet<LoadFailure> = new Set([
  "not_found",
  "not_gguf",
  "corrupt",
  "unknown_architecture",
  "bad_arguments",
]);

/**
 * What to do with a request; `files` identifies the model's files as they are now.
 *
 * | state    | condition                         | answer | next    |
 * |----------|-----------------------------------|--------|---------|
 * | unloaded |                                   | start  | loading |
 * | loading  |                                   | wait   | loading |
 * | ready    |                                   | use    | ready   |
 * | failed   | back-off over, or files changed   | start  | loading |
 * | failed   | otherwise                         | refuse | failed  |
 */
export function admit(life: Lifecycle, now: { nowMs: number; files: string }): Admission {
  if (life.state === "loading") return { do: "wait" };
  if (life.state === "ready") return { do: "use" };
  if (life.state === "unloaded" || isOver(life.retry, now)) return { do: "start" };
  const retryAfterMs = "atMs" in life.retry ? life.retry.atMs - now.nowMs : undefined;
  return { do: "refuse", failure: life.last, retryAfterMs };
}

/** The state after a request was admitted with `start`. */
export function started(life: Lifecycle, files: string): Lifecycle {
  return { state: "loading", streak: life.streak, progress: 0, files };
}

/**
 * The state after an event. Events that do not fit the state change nothing.
 *
 * | state    | event                            | next                                      |
 * |----------|----------------------------------|-------------------------------------------|
 * | loading  | progress                         | loading                                   |
 * | loading  | loaded                           | ready                                     |
 * | loading  | load_failed, cancelled           | unloaded                                  |
 * | loading  | load_failed, a lasting reason    | failed until the files change             |
 * | loading  | load_failed, any other reason    | failed for a back-off; streak + 1         |
 * | ready    | crashed after ≥ 1 min of service | unloaded; streak 1                        |
 * | ready    | crashed sooner, first of a row   | unloaded; streak 1                        |
 * | ready    | crashed sooner, again            | failed for a back-off; streak + 1         |
 * | any      | stopped                          | unloaded; streak 0                        |
 *
 * The back-off is 1 s for the first failure that has one, doubled with each further, at most 60 s.
 */
export function decide(life: Lifecycle, event: LifecycleEvent): Lifecycle {
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

/** What to tell of a state: a failed one whose back-off is over counts as unloaded. */
export function report(life: Lifecycle, now: { nowMs: number }): Report {
  switch (life.state) {
    case "loading":
      return { state: "loading", progress: life.progress };
    case "ready":
      return { state: "ready" };
    case "unloaded":
      return { state: "unloaded", ...(life.last ? { error: life.last.message } : {}) };
    case "failed": {
      const waits = !("atMs" in life.retry) || life.retry.atMs > now.nowMs;
      return { state: waits ? "failed" : "unloaded", error: life.last.message };
    }
  }
}

export interface Report {
  state: Lifecycle["state"];
  /** Fraction of the load that is done. */
  progress?: number;
  /** What went wrong last. */
  error?: string;
}

type Loading = Extract<Lifecycle, { state: "loading" }>;
type Ready = Extract<Lifecycle, { state: "ready" }>;

function afterLoadFailure(
  life: Loading,
  { nowMs, reason, message }: Extract<LifecycleEvent, { type: "load_failed" }>,
): Lifecycle {
  const last: Failure = { during: "load", reason, message };
  if (reason === "cancelled") return { state: "unloaded", streak: life.streak };
  if (LASTING.has(reason)) {
    return { state: "failed", streak: life.streak, last, retry: { filesNot: life.files } };
  }
  const atMs = nowMs + backoffMs(life.streak, RESTART);
  return { state: "failed", streak: life.streak + 1, last, retry: { atMs } };
}

function afterCrash(
  life: Ready,
  { nowMs, message }: Extract<LifecycleEvent, { type: "crashed" }>,
): Lifecycle {
  const last: Failure = { during: "service", message };
  const streak = nowMs - life.sinceMs >= STABLE_MS ? 1 : life.streak + 1;
  if (streak === 1) return { state: "unloaded", streak, last };
  const atMs = nowMs + backoffMs(streak - 2, RESTART);
  return { state: "failed", streak, last, retry: { atMs } };
}

function isOver(retry: RetryWhen, { nowMs, files }: { nowMs: number; files: string }): boolean {
  return "atMs" in retry ? nowMs >= retry.atMs : files !== retry.filesNot;
}
