import { describe, expect, test } from "bun:test";
import { LoginThrottle } from "./loginthrottle.ts";

const HOUR_MS = 3_600_000;

class Clock {
  now = 1_000_000;
  readonly throttle = new LoginThrottle();

  /** Tries once; returns the wait in ms, or 0 if it was let through. */
  try(account: string, address: string, isRight = false): number {
    const begun = this.throttle.begin({ account, address }, this.now);
    if ("waitMs" in begun) return begun.waitMs;
    if (isRight) begun.succeeded();
    else begun.failed(this.now);
    return 0;
  }
}

describe("wrong passwords", () => {
  test("of an account cost growing waits, up to a minute, wherever they come from", () => {
    const clock = new Clock();
    for (let i = 0; i < 5; i += 1) expect(clock.try("ann", `192.0.2.${i}`)).toBe(0);
    const waits = [];
    for (let i = 5; i < 14; i += 1) {
      const wait = clock.try("ann", `192.0.2.${i}`);
      waits.push(wait / 1000);
      clock.now += wait;
      expect(clock.try("ann", `192.0.2.${i}`)).toBe(0);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(clock.try("bob", "192.0.2.1")).toBe(0);
  });

  test("of an address cost growing waits, whatever the account", () => {
    const clock = new Clock();
    for (let i = 0; i < 20; i += 1) expect(clock.try(`user${i}`, "192.0.2.1")).toBe(0);
    expect(clock.try("ann", "192.0.2.1")).toBe(2000);
    expect(clock.try("ann", "192.0.2.2")).toBe(0);
  });

  test("of a network of version 6 count together", () => {
    const clock = new Clock();
    for (let i = 0; i < 20; i += 1) clock.try(`user${i}`, `2001:db8::${i}`);
    expect(clock.try("ann", "2001:db8::ffff")).toBe(2000);
    expect(clock.try("ann", "2001:db8:1::1")).toBe(0);
  });

  test("tried during a wait do not make it longer", () => {
    const clock = new Clock();
    for (let i = 0; i < 6; i += 1) clock.try("ann", "192.0.2.1");
    for (let i = 0; i < 100; i += 1) clock.try("ann", "192.0.2.1");
    clock.now += 2000;
    expect(clock.try("ann", "192.0.2.1", true)).toBe(0);
  });

  test("count while they are looked at", () => {
    const { throttle, now } = new Clock();
    const begun = Array.from({ length: 50 }, () =>
      throttle.begin({ account: "ann", address: "192.0.2.1" }, now),
    );
    expect(begun.filter((one) => !("waitMs" in one))).toHaveLength(5);
  });

  test("are forgotten after an hour, and when the clock was set back", () => {
    const clock = new Clock();
    for (let i = 0; i < 5; i += 1) clock.try("ann", "192.0.2.1");
    expect(clock.try("ann", "192.0.2.1")).toBe(2000);
    clock.now += HOUR_MS;
    for (let i = 0; i < 5; i += 1) expect(clock.try("ann", "192.0.2.1")).toBe(0);
    clock.now -= 10 * HOUR_MS;
    expect(clock.try("ann", "192.0.2.1")).toBe(0);
  });
});

describe("the right password", () => {
  test("gets in from where it did before, while others guess from elsewhere", () => {
    const clock = new Clock();
    expect(clock.try("ann", "192.0.2.1", true)).toBe(0);
    for (let i = 0; i < 30; i += 1) {
      clock.now += clock.try("ann", "203.0.113.9");
      clock.try("ann", "203.0.113.9");
    }
    expect(clock.try("ann", "203.0.113.10")).toBeGreaterThan(0);
    expect(clock.try("ann", "192.0.2.1", true)).toBe(0);
  });

  test("does not make guessing from there free", () => {
    const clock = new Clock();
    clock.try("ann", "192.0.2.1", true);
    for (let i = 0; i < 5; i += 1) expect(clock.try("ann", "192.0.2.1")).toBe(0);
    expect(clock.try("ann", "192.0.2.1")).toBe(2000);
  });

  test("of one's own account is no way to go on guessing others'", () => {
    const clock = new Clock();
    for (let i = 0; i < 20; i += 1) {
      clock.try(`user${i}`, "192.0.2.1");
      if (i < 19) clock.try("mallory", "192.0.2.1", true);
    }
    expect(clock.try("ann", "192.0.2.1")).toBe(2000);
  });
});

test("what is remembered is bounded", () => {
  const clock = new Clock();
  for (let i = 0; i < 5; i += 1) clock.try("ann", "192.0.2.1");
  for (let i = 0; i < 10_000; i += 1) clock.try(`user${i}`, `10.0.${i >> 8}.${i & 255}`);
  expect(clock.try("ann", "192.0.2.1")).toBe(0);
});
