import { expect, test } from "bun:test";
import { type AttemptOutcome, type Attribution, attributionOf } from "./attribution.ts";

test.each<[Partial<AttemptOutcome>, Attribution]>([
  [{ status: 200 }, "nobody"],
  [{ status: 304 }, "nobody"],
  [{ status: 400 }, "request"],
  [{ status: 400, isTrusted: false }, "doubt"],
  [{ status: 422, isTrusted: false }, "doubt"],
  [{ status: 501, isTrusted: false }, "request"],
  [{ status: 401 }, "upstream"],
  [{ status: 402 }, "upstream"],
  [{ status: 403 }, "upstream"],
  [{ status: 404 }, "upstream"],
  [{ status: 408 }, "upstream"],
  [{ status: 413 }, "request"],
  [{ status: 422 }, "request"],
  [{ status: 429 }, "busy"],
  [{ status: 500 }, "suspect"],
  [{ status: 501 }, "request"],
  [{ status: 502 }, "upstream"],
  [{ status: 503 }, "upstream"],
  [{ status: 504 }, "upstream"],
  [{ status: 507 }, "upstream"],
  [{ status: 524 }, "upstream"],
  [{ status: 529 }, "upstream"],
  [{ error: "upstream", isTaken: false }, "upstream"],
  [{ error: "upstream", isTaken: true }, "suspect"],
  [{ error: "timeout", isTaken: true }, "upstream"],
  [{ error: "client_closed", isTaken: true }, "nobody"],
  [{ error: "internal", isTaken: false }, "nobody"],
  [{ error: "tool_call_failed", isTaken: true }, "nobody"],
])("%j: %s", (outcome, expected) => {
  expect(attributionOf({ isTrusted: true, ...outcome } as AttemptOutcome)).toBe(expected);
});
