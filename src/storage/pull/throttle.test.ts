import { describe, expect, test } from "bun:test";
import { Throttle } from "./throttle.ts";

describe("a throttle", () => {
  const never = new AbortController().signal;

  test("lets through what its rate says, and counts weights", async () => {
    let nowMs = 0;
    const wait = async (ms: number) => {
      nowMs += ms;
    };
    const throttle = new Throttle({ bytesPerSecond: 1000, nowMs: () => nowMs, wait });
    for (let i = 0; i < 40; i += 1) await throttle.take(100, 1, never);
    expect(nowMs).toBe(3750);
    for (let i = 0; i < 10; i += 1) await throttle.take(100, 3, never);
    expect(nowMs).toBe(6750);
    throttle.limit(0);
    await throttle.take(1e9, 1, never);
    expect(nowMs).toBe(6750);
  });
});
