import { describe, expect, test } from "bun:test";
import { type Health, type HealthEvent, nextCheckMs, nextHealth, PENDING } from "./healthstate.ts";

function after(...events: HealthEvent[]): Health {
  return events.reduce(nextHealth, PENDING);
}

describe("nextHealth", () => {
  test.each<[HealthEvent[], Health["status"]]>([
    [[], "pending"],
    [["request_broke"], "pending"],
    [["check_ok"], "online"],
    [["check_failed"], "offline"],
    [["check_ok", "check_failed"], "online"],
    [["check_ok", "check_failed", "check_failed"], "offline"],
    [["check_ok", "check_failed", "check_ok", "check_failed"], "online"],
    [["check_ok", "request_broke", "request_broke", "request_broke"], "online"],
    [["check_ok", "request_broke", "request_broke", "check_failed"], "offline"],
    [["check_ok", "request_broke", "check_ok", "check_failed"], "online"],
    [["check_failed", "check_ok"], "online"],
    [["check_failed", "request_broke"], "offline"],
  ])("after %j an endpoint is %s", (events, status) => {
    expect(after(...events).status).toBe(status);
  });
});

describe("nextCheckMs", () => {
  test("is the interval when all is well, and a growing back-off after failures", () => {
    const waits = [0, 1, 2, 3, 20].map((failures) =>
      nextCheckMs({ status: "offline", failures }, 30_000, 0.5),
    );
    expect(waits).toEqual([30_000, 1000, 2000, 4000, 30_000]);
  });

  test("moves by a tenth", () => {
    expect(nextCheckMs(after("check_ok"), 30_000, 0)).toBe(27_000);
    expect(nextCheckMs(after("check_ok"), 30_000, 1)).toBe(33_000);
  });
});
