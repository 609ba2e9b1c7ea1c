import { ApiError } from "../../wire/error.ts";
import type { ForwardTarget } from "./forward.ts";

/** The request header that names the balancers which a request has passed, from first to last. */
export const HOPS_HEADER = "x-llmlb-hops";

/**
 * Most balancers in a row. Each may try several upstreams, so a longer way could make thousands of
 * requests out of one.
 */
const HOPS_MAX = 5;

/** A balancer's id, as it stands in the header; whatever else is there was not put by one. */
const HOP = /^[0-9a-f]{16}$/;

const CAME_BACK = `The request was refused: it came back to the balancer that had sent it on. \
An endpoint or a cloud of this llmlb is this llmlb itself, or leads back to it: look at \
its endpoints, --provider and OPENAI_BASE_URL, also in the environment.`;

/**
 * Keeps requests from going round: a balancer writes its id into each request that it sends, and
 * refuses those which have been there before.
 */
export class Hops {
  /** The id of this balancer, another one after each start. */
  readonly #id = Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");

  /** Throws 508 `loop_detected` for a request that was here before, or that passed too many. */
  require({ headers }: Request): void {
    const passed = hopsIn(headers);
    if (passed.includes(this.#id)) throw new ApiError("loop_detected", CAME_BACK);
    if (passed.length < HOPS_MAX) return;
    const message = `The request was refused: it has passed ${passed.length} balancers, which is \
the most there may be in a row. Name the servers behind them as endpoints.`;
    throw new ApiError("loop_detected", message);
  }

  /** The same target; what it is sent bears the ids of those that the client's request passed. */
  onward(target: ForwardTarget, client: Headers): ForwardTarget {
    return { ...target, headers: { ...target.headers, [HOPS_HEADER]: this.after(client) } };
  }

  /** The header's value for what is sent on for a request with these headers, or for nobody. */
  after(headers?: Headers): string {
    const passed = headers === undefined ? [] : hopsIn(headers);
    return passed.length === 0 ? this.#id : [...passed, this.#id].join(", ");
  }
}

function hopsIn(headers: Headers): string[] {
  const header = headers.get(HOPS_HEADER);
  if (header === null) return [];
  return header
    .split(",")
    .map((hop) => hop.trim())
    .filter((hop) => HOP.test(hop));
}
