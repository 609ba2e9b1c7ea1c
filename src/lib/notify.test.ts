import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Notify } from "./notify.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Whether a wait has ended by now. */
async function hasEnded(wait: Promise<void>): Promise<boolean> {
  let ended = false;
  void wait.then(() => {
    ended = true;
  });
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  return ended;
}

test("a wait ends with a notification, or after its time", async () => {
  const notify = new Notify();
  const { signal } = new AbortController();
  const first = notify.wait(1000, signal);
  expect(await hasEnded(first)).toBe(false);
  notify.notify();
  expect(await hasEnded(first)).toBe(true);
  const second = notify.wait(1000, signal);
  jest.advanceTimersByTime(999);
  expect(await hasEnded(second)).toBe(false);
  jest.advanceTimersByTime(1);
  expect(await hasEnded(second)).toBe(true);
});

test("notifications between two waits end the next one, and only that", async () => {
  const notify = new Notify();
  const { signal } = new AbortController();
  notify.notify();
  notify.notify();
  expect(await hasEnded(notify.wait(1000, signal))).toBe(true);
  expect(await hasEnded(notify.wait(1000, signal))).toBe(false);
});

test("a wait ends when its signal is aborted, and does not begin afterwards", async () => {
  const notify = new Notify();
  const abort = new AbortController();
  const wait = notify.wait(1000, abort.signal);
  abort.abort();
  expect(await hasEnded(wait)).toBe(true);
  expect(await hasEnded(notify.wait(1000, abort.signal))).toBe(true);
});
