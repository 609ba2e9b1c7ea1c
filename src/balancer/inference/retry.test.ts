import { describe, expect, test } from "bun:test";
import { attemptLimitMs } from "./retry.ts";

describe("the limit of a try", () => {
  test("is all that is left when no other endpoint could be tried", () => {
    expect(attemptLimitMs({ leftMs: 600_000, tryTimeoutMs: 1000, attemptsLeft: 0 })).toBe(600_000);
  });

  test("is the try timeout while others could", () => {
    expect(attemptLimitMs({ leftMs: 600_000, tryTimeoutMs: 120_000, attemptsLeft: 2 })).toBe(
      120_000,
    );
  });

  test("leaves each of the others as much when time is short", () => {
    expect(attemptLimitMs({ leftMs: 900, tryTimeoutMs: 1000, attemptsLeft: 2 })).toBe(300);
    expect(attemptLimitMs({ leftMs: 900, tryTimeoutMs: 1000, attemptsLeft: 1 })).toBe(450);
  });
});
