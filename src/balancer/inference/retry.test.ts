import { describe, expect, test } from "bun:test";
import { attemptLimitMs } from "./retry.ts";

describe("the limit of a try", () => {
  const streams = true;

  test("is all that is left when no other endpoint could be tried", () => {
    const time = { leftMs: 600_000, tryTimeoutMs: 1000 };
    expect(attemptLimitMs({ ...time, attemptsLeft: 0, streams })).toBe(600_000);
  });

  test("is the try timeout while others could", () => {
    const time = { leftMs: 600_000, tryTimeoutMs: 120_000 };
    expect(attemptLimitMs({ ...time, attemptsLeft: 2, streams })).toBe(120_000);
  });

  test("leaves each of the others as much when time is short", () => {
    const time = { leftMs: 900, tryTimeoutMs: 1000 };
    expect(attemptLimitMs({ ...time, attemptsLeft: 2, streams })).toBe(300);
    expect(attemptLimitMs({ ...time, attemptsLeft: 1, streams })).toBe(450);
  });

  test("is all that is left for an answer in one piece", () => {
    const time = { leftMs: 600_000, tryTimeoutMs: 1000 };
    expect(attemptLimitMs({ ...time, attemptsLeft: 2, streams: false })).toBe(600_000);
  });
});
