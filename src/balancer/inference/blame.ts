import type { Slot } from "../upstream/upstream.ts";
import { type Attribution, SUSPECTS_MAX } from "./attribution.ts";

type Failure = { slot: Pick<Slot, "blame">; reason: string };

/** Who is held to the failures of a request, which may show only when another upstream tried it. */
export class Blame {
  /** Upstreams that failed as they would if the request were at fault. */
  readonly #suspects: Failure[] = [];
  /** Those that refused the request though it may be right. */
  readonly #refusals: Failure[] = [];

  /** Two upstreams failed the request as only its own fault explains. */
  get isRequests(): boolean {
    return this.#suspects.length >= SUSPECTS_MAX || this.#refusals.length >= SUSPECTS_MAX;
  }

  /** Somebody refused the request, and nobody has answered it. */
  get hasRefusals(): boolean {
    return this.#refusals.length > 0;
  }

  /** Counts a failure against the upstream, or keeps it until another one has tried the request. */
  add(attribution: Attribution, failure: Failure): void {
    if (attribution === "upstream") failure.slot.blame(failure.reason);
    else if (attribution === "suspect") this.#suspects.push(failure);
    else if (attribution === "doubt") this.#refusals.push(failure);
  }

  /** An upstream answered the request: who refused or failed it is to blame. */
  answered(): void {
    if (this.#refusals.length > 0) blameAll(this.#refusals);
    this.over();
  }

  /** No other upstream is tried: who failed the request as no other did is to blame. */
  over(): void {
    if (this.#suspects.length > 0 && !this.isRequests) blameAll(this.#suspects);
  }
}

function blameAll(failures: Failure[]): void {
  for (const { slot, reason } of failures.splice(0)) slot.blame(reason);
}
