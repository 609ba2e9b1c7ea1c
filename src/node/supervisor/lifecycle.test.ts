import { expect, test } from "bun:test";
import type { LoadFailure } from "../../engine/loaderror.ts";
import {
  decideUse,
  INITIAL,
  type Lifecycle,
  type LifecycleEvent,
  nextState,
  startLoading,
  statusOf,
} from "./lifecycle.ts";

const MINUTE_MS = 60_000;
const crash = (nowMs: number): LifecycleEvent => ({ type: "crashed", nowMs, message: "boom" });
const loaded = (nowMs: number): LifecycleEvent => ({ type: "loaded", nowMs });
const loadFailed = (nowMs: number, reason: LoadFailure): LifecycleEvent => ({
  type: "load_failed",
  nowMs,
  reason,
  message: `because ${reason}`,
});

function loading(streak = 0): Lifecycle {
  return startLoading({ state: "unloaded", streak }, "v1");
}

function ready(sinceMs: number, streak = 0): Lifecycle {
  return nextState(loading(streak), loaded(sinceMs));
}

test("an unloaded engine starts, a loading one is waited for, a ready one is used", () => {
  const now = { nowMs: 0, fingerprint: "v1" };
  expect(decideUse(INITIAL, now)).toEqual({ do: "start" });
  expect(decideUse(loading(), now)).toEqual({ do: "wait" });
  expect(decideUse(ready(0), now)).toEqual({ do: "use" });
});

test("progress is kept while loading and ignored otherwise", () => {
  const progress: LifecycleEvent = { type: "progress", fraction: 0.4 };
  expect(statusOf(nextState(loading(), progress), { nowMs: 0 })).toEqual({
    state: "loading",
    progress: 0.4,
  });
  expect(nextState(ready(5), progress)).toEqual(ready(5));
});

test.each(["not_found", "not_gguf", "unknown_architecture", "bad_arguments"] as const)(
  "%s is remembered until the files change",
  (reason) => {
    const failed = nextState(loading(), loadFailed(0, reason));
    const refusal = decideUse(failed, { nowMs: 1e9, fingerprint: "v1" });
    expect(refusal).toMatchObject({ do: "refuse", retryAfterMs: undefined });
    expect(decideUse(failed, { nowMs: 0, fingerprint: "v2" })).toEqual({ do: "start" });
    expect(statusOf(failed, { nowMs: 1e9 })).toEqual({
      state: "failed",
      error: `because ${reason}`,
    });
  },
);

test("other load failures back off from 1 s, doubled up to 60 s", () => {
  let life = loading();
  const waits: (number | undefined)[] = [];
  let nowMs = 0;
  for (let i = 0; i < 8; i += 1) {
    life = nextState(life, loadFailed(nowMs, "out_of_memory"));
    const refusal = decideUse(life, { nowMs, fingerprint: "v1" });
    const waitMs = refusal.do === "refuse" ? refusal.retryAfterMs : undefined;
    waits.push(waitMs);
    nowMs += waitMs ?? 0;
    expect(decideUse(life, { nowMs, fingerprint: "v1" })).toEqual({ do: "start" });
    life = startLoading(life, "v1");
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test("a cancelled load leaves the engine unloaded", () => {
  expect(nextState(loading(), loadFailed(0, "cancelled"))).toEqual(INITIAL);
});

test("the first crash is restarted by the next request at once", () => {
  const life = nextState(ready(0), crash(10));
  expect(decideUse(life, { nowMs: 10, fingerprint: "v1" })).toEqual({ do: "start" });
  expect(statusOf(life, { nowMs: 10 })).toEqual({ state: "unloaded", error: "boom" });
});

test("crashes soon after each start back off", () => {
  let life = nextState(ready(0), crash(10));
  const waits: (number | undefined)[] = [];
  let nowMs = 10;
  for (let i = 0; i < 3; i += 1) {
    life = nextState(nextState(startLoading(life, "v1"), loaded(nowMs)), crash(nowMs + 5));
    nowMs += 5;
    const refusal = decideUse(life, { nowMs: nowMs + 400, fingerprint: "v1" });
    const waitMs = refusal.do === "refuse" ? refusal.retryAfterMs : undefined;
    waits.push(waitMs);
    nowMs += 400 + (waitMs ?? 0);
  }
  expect(waits).toEqual([600, 1600, 3600]);
  expect(statusOf(life, { nowMs: 0 }).state).toBe("failed");
  expect(statusOf(life, { nowMs })).toEqual({ state: "unloaded", error: "boom" });
});

test("a crash after a minute of service counts as the first", () => {
  const life = nextState(ready(0, 5), crash(MINUTE_MS));
  expect(life).toMatchObject({ state: "unloaded", streak: 1 });
  expect(nextState(ready(0, 5), crash(MINUTE_MS - 1))).toMatchObject({
    state: "failed",
    streak: 6,
  });
});

test("stopping forgets everything, late events change nothing", () => {
  const failed = nextState(loading(), loadFailed(0, "failed"));
  expect(nextState(failed, { type: "stopped" })).toEqual(INITIAL);
  for (const event of [loaded(1), crash(1), loadFailed(1, "failed")]) {
    expect(nextState(INITIAL, event)).toEqual(INITIAL);
    expect(nextState(failed, event)).toEqual(failed);
  }
});
