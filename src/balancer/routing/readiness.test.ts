import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Readiness } from "./readiness.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** One endpoint that initialises, and how to end that. */
function starting() {
  const load = { initializing: true };
  const readiness = new Readiness(() => !load.initializing);
  const becomeReady = () => {
    load.initializing = false;
    readiness.notify();
  };
  return { readiness, becomeReady };
}

test("wait_for_ready_unblocks_when_node_becomes_ready", async () => {
  const { readiness, becomeReady } = starting();
  const waiting = readiness.waitForReady(1024);
  expect(readiness.waiting).toBe(1);
  becomeReady();
  expect(await waiting).toBe("ready");
  expect(readiness.waiting).toBe(0);
});

test("wait_for_ready_limits_waiters_and_notifies_first", async () => {
  const { readiness, becomeReady } = starting();
  const first = readiness.waitForReady(1);
  expect(await readiness.waitForReady(1)).toBe("capacity_exceeded");
  becomeReady();
  expect(await first).toBe("ready");
});

test("wait_for_ready_with_timeout_returns_timeout_when_no_ready_nodes", async () => {
  const { readiness } = starting();
  const waiting = readiness.waitForReady(1024, { timeoutMs: 10 });
  jest.advanceTimersByTime(10);
  expect(await waiting).toBe("timeout");
  expect(readiness.waiting).toBe(0);
});

test("wait_for_ready_with_timeout_returns_capacity_exceeded", async () => {
  const { readiness } = starting();
  const first = readiness.waitForReady(1, { timeoutMs: 100 });
  expect(await readiness.waitForReady(1, { timeoutMs: 100 })).toBe("capacity_exceeded");
  jest.advanceTimersByTime(100);
  expect(await first).toBe("timeout");
});

test("wait_for_ready_with_timeout_returns_ready_when_node_becomes_available", async () => {
  const { readiness, becomeReady } = starting();
  const waiting = readiness.waitForReady(1024, { timeoutMs: 1000 });
  jest.advanceTimersByTime(500);
  becomeReady();
  expect(await waiting).toBe("ready");
});

test("what is ready needs no waiting, but the limit holds", async () => {
  const readiness = new Readiness(() => true);
  expect(await readiness.waitForReady(1)).toBe("ready");
  expect(await readiness.waitForReady(0)).toBe("capacity_exceeded");
});

test("those who wait are woken first come, first served, and not for nothing", async () => {
  const { readiness, becomeReady } = starting();
  const order: number[] = [];
  const all = [1, 2, 3].map((i) => readiness.waitForReady(9).then(() => order.push(i)));
  readiness.notify();
  expect(readiness.waiting).toBe(3);
  becomeReady();
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3]);
});

test("a client that leaves frees its place", async () => {
  const { readiness, becomeReady } = starting();
  const client = new AbortController();
  const waiting = readiness.waitForReady(1, { timeoutMs: 100, signal: client.signal });
  client.abort();
  expect(await waiting).toBe("aborted");
  const next = readiness.waitForReady(1);
  becomeReady();
  expect(await next).toBe("ready");
  expect(await readiness.waitForReady(1, { signal: client.signal })).toBe("ready");
});
