import type { ErrorKind } from "../wire/error.ts";

/** Further endpoints that one request may try. */
export const RETRIES_MAX = 2;

/** How one try ended before a byte went to the client: with an answer, or without. */
export type TryOutcome = { status: number } | { error: ErrorKind };

/**
 * Whether another endpoint may do better:
 *
 * | outcome                                      | another endpoint? |
 * |----------------------------------------------|-------------------|
 * | not reached, reset, broken off (`upstream`)  | yes               |
 * | no answer in time (`timeout`)                | yes               |
 * | 429, 502, 503: full, gone or loading         | yes               |
 * | any other answer, the client's errors too    | no, it counts     |
 * | the client went away, a bug of ours          | no                |
 */
export function mayRetry(outcome: TryOutcome): boolean {
  if ("error" in outcome) return outcome.error === "upstream" || outcome.error === "timeout";
  return outcome.status === 429 || outcome.status === 502 || outcome.status === 503;
}
