import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Waiters } from "./waiters.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("waiters are woken in the order in which they came, one or all", async () => {
  const waiters = new Waiters();
  const woken: number[] = [];
  const waits = [1, 2, 3].map((i) => waiters.wait().then(() => woken.push(i)));
  expect([waiters.wakeFirst(), waiters.size]).toEqual([true, 2]);
  await waits[0];
  expect(woken).toEqual([1]);
  waiters.wakeAll();
  await Promise.all(waits);
  expect([woken, waiters.size, waiters.wakeFirst()]).toEqual([[1, 2, 3], 0, false]);
});

test("a waiter that gives up is not woken in place of another", async () => {
  const waiters = new Waiters();
  const client = new AbortController();
  const left = waiters.wait({ signal: client.signal });
  const late = waiters.wait({ timeoutMs: 10 });
  const other = waiters.wait();
  client.abort();
  jest.advanceTimersByTime(10);
  expect([await left, await late, waiters.size]).toEqual(["aborted", "timeout", 1]);
  expect(waiters.wakeFirst()).toBe(true);
  expect(await other).toBe("woken");
});
