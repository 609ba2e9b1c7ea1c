import { expect, test } from "bun:test";
import type { LoadFailure } from "../../engine/launch.ts";
import {
  admit,
  decide,
  INITIAL,
  type Lifecycle,
  type LifecycleEvent,
  report,
  STABLE_MS,
  started,
} from "./lifecycle.ts";

const crash = (nowMs: number): LifecycleEvent => ({ type: "crashed", nowMs, message: "boom" });
const loaded = (nowMs: number): LifecycleEvent => ({ type: "loaded", nowMs });
const loadFailed = (nowMs: number, reason: LoadFailure): LifecycleEvent => ({
  type: "load_failed",
  nowMs,
  reason,
  message: `because ${reason}`,
});

function loading(streak = 0): Lifecycle {
  return started({ state: "unloaded", streak }, "v1");
}

function ready(sinceMs: number, streak = 0): Lifecycle {
  return decide(loading(streak), loaded(sinceMs));
}

test("an unloaded engine starts, a loading one is waited for, a ready one is used", () => {
  const now = { nowMs: 0, files: "v1" };
  expect(admit(INITIAL, now)).toEqual({ do: "start" });
  expect(admit(loading(), now)).toEqual({ do: "wait" });
  expect(admit(ready(0), now)).toEqual({ do: "use" });
});

test("progress is kept while loading and ignored otherwise", () => {
  const progress: LifecycleEvent = { type: "progress", fraction: 0.4 };
  expect(report(decide(loading(), progress), { nowMs: 0 })).toEqual({
    state: "loading",
    progress: 0.4,
  });
  expect(decide(ready(5), progress)).toEqual(ready(5));
});

test.each(["not_found", "not_gguf", "unknown_architecture", "bad_arguments"] as const)(
  "%s is remembered until the files change",
  (reason) => {
    const failed = decide(loading(), loadFailed(0, reason));
    const refusal = admit(failed, { nowMs: 1e9, files: "v1" });
    expect(refusal).toMatchObject({ do: "refuse", retryAfterMs: undefined });
    expect(admit(failed, { nowMs: 0, files: "v2" })).toEqual({ do: "start" });
    expect(report(failed, { nowMs: 1e9 })).toEqual({ state: "failed", error: `because ${reason}` });
  },
);

test("other load failures back off from 1 s, doubled up to 60 s", () => {
  let life = loading();
  const waits: (number | undefined)[] = [];
  let nowMs = 0;
  for (let i = 0; i < 8; i += 1) {
    life = decide(life, loadFailed(nowMs, "out_of_memory"));
    const refusal = admit(life, { nowMs, files: "v1" });
    const waitMs = refusal.do === "refuse" ? refusal.retryAfterMs : undefined;
    waits.push(waitMs);
    nowMs += waitMs ?? 0;
    expect(admit(life, { nowMs, files: "v1" })).toEqual({ do: "start" });
    life = started(life, "v1");
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test("a cancelled load leaves the engine unloaded", () => {
  expect(decide(loading(), loadFailed(0, "cancelled"))).toEqual(INITIAL);
});

test("the first crash is restarted by the next request at once", () => {
  const life = decide(ready(0), crash(10));
  expect(admit(life, { nowMs: 10, files: "v1" })).toEqual({ do: "start" });
  expect(report(life, { nowMs: 10 })).toEqual({ state: "unloaded", error: "boom" });
});

test("crashes soon after each start back off", () => {
  let life = decide(ready(0), crash(10));
  const waits: (number | undefined)[] = [];
  let nowMs = 10;
  for (let i = 0; i < 3; i += 1) {
    life = decide(decide(started(life, "v1"), loaded(nowMs)), crash(nowMs + 5));
    nowMs += 5;
    const refusal = admit(life, { nowMs: nowMs + 400, files: "v1" });
    const waitMs = refusal.do === "refuse" ? refusal.retryAfterMs : undefined;
    waits.push(waitMs);
    nowMs += 400 + (waitMs ?? 0);
  }
  expect(waits).toEqual([600, 1600, 3600]);
  expect(report(life, { nowMs: 0 }).state).toBe("failed");
  expect(report(life, { nowMs })).toEqual({ state: "unloaded", error: "boom" });
});

test("a crash after a minute of service counts as the first", () => {
  const life = decide(ready(0, 5), crash(STABLE_MS));
  expect(life).toMatchObject({ state: "unloaded", streak: 1 });
  expect(decide(ready(0, 5), crash(STABLE_MS - 1))).toMatchObject({ state: "failed", streak: 6 });
});

test("stopping forgets everything, late events change nothing", () => {
  const failed = decide(loading(), loadFailed(0, "failed"));
  expect(decide(failed, { type: "stopped" })).toEqual(INITIAL);
  for (const event of [loaded(1), crash(1), loadFailed(1, "failed")]) {
    expect(decide(INITIAL, event)).toEqual(INITIAL);
    expect(decide(failed, event)).toEqual(failed);
  }
});
