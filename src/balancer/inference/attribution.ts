import type { ErrorKind } from "../../wire/error.ts";

/** How an attempt ended before its first byte went to the client: with an answer or without. */
export type AttemptOutcome =
  /** `isTrusted`: the upstream has answered the model well since it last refused a request. */
  | { status: number; isTrusted: boolean }
  /** `isTaken`: the upstream had taken the request before it failed. */
  | { error: ErrorKind; isTaken: boolean };

/**
 * Who failed:
 *
 * - `nobody`: the upstream answered, or the client left;
 * - `request`: the request is wrong, whoever gets it;
 * - `upstream`: the upstream, or the model on it, would fail others as well;
 * - `busy`: the upstream has no room, which is no failure;
 * - `suspect`: the upstream, unless another one fails the same request in the same way: then it is
 *   the request;
 * - `doubt`: the request, unless another upstream answers it: then it is this one.
 */
export type Attribution = "nobody" | "request" | "upstream" | "busy" | "suspect" | "doubt";

/**
 * | outcome                                            | who failed | another one | counts for |
 * |----------------------------------------------------|------------|-------------|------------|
 * | below 400, with an answer                          | nobody     | no          | latency    |
 * | below 400, with an error                           | as the status that the error tells    |
 * | below 400, with a web page or nothing              | upstream   | yes         | circuit    |
 * | 401, 402, 403, 407: its key, its plan              | upstream   | yes         | circuit    |
 * | 404, 405, 408: it lacks the model, route, patience | upstream   | yes         | circuit    |
 * | 429                                                | busy       | yes         | nothing    |
 * | 502, 503, 504, 52x: gone, loading, overloaded      | upstream   | yes         | circuit    |
 * | 507: the model does not fit into its memory        | upstream   | yes         | circuit ³  |
 * | 500 and other 5xx                                  | suspect    | one more    | circuit ¹  |
 * | 501; other 4xx of one that has answered well       | request    | no          | nothing    |
 * | other 4xx of one that has not, since its last      | doubt      | one more    | circuit ²  |
 * | not reached, silent                                | upstream   | yes         | circuit    |
 * | a stream that ends without an event                | upstream   | yes         | circuit    |
 * | broken off after it had taken the request          | suspect    | one more    | circuit ¹  |
 * | the client left, a bug of ours                     | nobody     | no          | nothing    |
 * | the model wrote a call that is no JSON             | nobody     | no          | nothing    |
 *
 * ¹ Unless the next one fails the request so, too. ² Only if the next one answers it: an endpoint
 * that refuses everybody is told from a wrong request so. ³ It is the circuit of that model there;
 * the endpoint's other models go on. `forward` tells errors, pages and nothing
 * below 400 as the failures that they are, the first event of a stream included.
 */
export function attributionOf(outcome: AttemptOutcome): Attribution {
  if ("error" in outcome) {
    if (outcome.error === "timeout") return "upstream";
    if (outcome.error !== "upstream") return "nobody";
    return outcome.isTaken ? "suspect" : "upstream";
  }
  const { status, isTrusted } = outcome;
  if (status < 400) return "nobody";
  if (status === 429) return "busy";
  if (UPSTREAM_STATUSES.has(status) || status > 504) return "upstream";
  if (status >= 500) return status === 501 ? "request" : "suspect";
  return isTrusted ? "request" : "doubt";
}

const UPSTREAM_STATUSES = new Set([401, 402, 403, 404, 405, 407, 408, 502, 503, 504]);

/** So many upstreams fail one request alike: it is at fault, and is not sent again. */
export const SUSPECTS_MAX = 2;
