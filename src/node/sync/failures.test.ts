import { expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { PullFailures } from "./failures.ts";

const MODEL = { id: "m", revision: "r1" };
const failure = (code: string) => new ApiError("upstream", `failed: ${code}`, { code });

test("failures in a row back off from 1 s, doubled up to a minute", () => {
  const failures = new PullFailures();
  const waits = Array.from({ length: 8 }, () => {
    failures.add(MODEL, failure("pull_failed"), 0);
    return failures.nextRetryMs;
  });
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  failures.delete("m");
  failures.add(MODEL, failure("pull_failed"), 0);
  expect(failures.nextRetryMs).toBe(1000);
});

test("what only a person can change is tried again after ten minutes, or when asked", () => {
  const failures = new PullFailures();
  failures.add(MODEL, failure("gated_model"), 5);
  expect(failures.retries().get("m")).toEqual({ revision: "r1", nextMs: 600_005 });
  failures.retryNow();
  expect(failures.nextRetryMs).toBe(0);
});

test("models that are not assigned any more are forgotten", () => {
  const failures = new PullFailures();
  failures.add(MODEL, failure("pull_failed"), 0);
  failures.add({ id: "other", revision: null }, failure("pull_failed"), 0);
  failures.keepOnly(new Set(["other"]));
  expect([...failures.errors().keys()]).toEqual(["other"]);
  expect(failures.errorOf("m")).toBeUndefined();
  failures.keepOnly(new Set());
  expect(failures.nextRetryMs).toBe(Number.POSITIVE_INFINITY);
});
