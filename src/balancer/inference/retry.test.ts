import { describe, expect, test } from "bun:test";
import { isFailure } from "../upstream/endpointslot.ts";
import { type AttemptOutcome, attemptLimitMs, mayRetry } from "./retry.ts";

test.each<[AttemptOutcome, boolean]>([
  [{ error: "upstream" }, true],
  [{ error: "timeout" }, true],
  [{ error: "client_closed" }, false],
  [{ error: "internal" }, false],
  [{ status: 429, streams: true }, true],
  [{ status: 502, streams: true }, true],
  [{ status: 503, streams: true }, true],
  [{ status: 200, streams: false }, false],
  [{ status: 400, streams: false }, false],
  [{ status: 404, streams: false }, false],
  [{ status: 500, streams: false }, true],
  [{ status: 500, streams: true }, false],
  [{ status: 501, streams: false }, false],
  [{ status: 504, streams: false }, false],
])("after %j another endpoint is tried: %p", (outcome, expected) => {
  expect(mayRetry(outcome)).toBe(expected);
});

test.each([
  [200, false],
  [404, false],
  [429, false],
  [500, true],
  [501, false],
  [503, true],
])("an answer with %d is a failure of the endpoint: %p", (status, expected) => {
  expect(isFailure(status)).toBe(expected);
});

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
