import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { waitFor, withDeadline } from "./deadline.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("a promise that settles in time is what it is, a late one is a time-out", async () => {
  expect(await withDeadline(Promise.resolve(7), { timeoutMs: 10 })).toBe(7);
  expect(await withDeadline(Promise.reject(new Error("no")), { timeoutMs: 10 }).catch(String)).toBe(
    "Error: no",
  );
  const late = withDeadline(new Promise<never>(() => undefined), { timeoutMs: 10 });
  jest.advanceTimersByTime(10);
  expect(await late).toBe("timeout");
});

test("a promise that rejects after its wait has ended disturbs nobody", async () => {
  for (const signal of [AbortSignal.abort(), undefined]) {
    const { promise, reject } = Promise.withResolvers<never>();
    const end = withDeadline(promise, { timeoutMs: 10, signal });
    jest.advanceTimersByTime(10);
    expect(await end).toBe(signal === undefined ? "timeout" : "aborted");
    reject(new Error("late"));
  }
});

test("a wait ends by what it waits for, by its time, or by its client", async () => {
  let given = 0;
  const begin = (settle: (value: string) => void) => {
    if (given === 0) settle("done");
    return () => {
      given += 1;
    };
  };
  expect(await waitFor(begin, { timeoutMs: 10 })).toBe("done");
  given = 1;
  const late = waitFor(begin, { timeoutMs: 10 });
  jest.advanceTimersByTime(10);
  expect([await late, given]).toEqual(["timeout", 2]);
  const client = new AbortController();
  const left = waitFor(begin, { signal: client.signal });
  client.abort();
  expect([await left, given]).toEqual(["aborted", 3]);
  expect(await waitFor(begin, { signal: client.signal })).toBe("aborted");
});
