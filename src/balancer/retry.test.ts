import { expect, test } from "bun:test";
import { mayRetry, type TryOutcome } from "./retry.ts";

test.each<[TryOutcome, boolean]>([
  [{ error: "upstream" }, true],
  [{ error: "timeout" }, true],
  [{ error: "client_closed" }, false],
  [{ error: "internal" }, false],
  [{ status: 429 }, true],
  [{ status: 502 }, true],
  [{ status: 503 }, true],
  [{ status: 200 }, false],
  [{ status: 400 }, false],
  [{ status: 404 }, false],
  [{ status: 500 }, false],
])("after %j another endpoint is tried: %p", (outcome, expected) => {
  expect(mayRetry(outcome)).toBe(expected);
});
