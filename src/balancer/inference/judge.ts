import { ClientError } from "../../http/client/failure.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { ApiError } from "../../wire/error.ts";
import type { Slot } from "../upstream/upstream.ts";
import { type Attribution, attributionOf } from "./attribution.ts";
import { Blame } from "./blame.ts";
import type { RequestContext } from "./context.ts";

/** Says whose fault the failures of one request are, and tells the slots and the record. */
export class Judge {
  readonly blame = new Blame();
  readonly #context: Pick<RequestContext, "record">;

  constructor(context: Pick<RequestContext, "record">) {
    this.#context = context;
  }

  /** An upstream answered with this status. */
  status(slot: Slot, status: number): Attribution {
    const attribution = attributionOf({ status, isTrusted: slot.isTrusted });
    if (attribution === "nobody") this.blame.answered();
    if (attribution === "request" || attribution === "doubt") slot.refused();
    if (attribution === "nobody" || attribution === "request") slot.answered(status);
    else slot.rejected(status);
    if (attribution !== "nobody") this.#context.record?.attemptFailed(`HTTP ${status}`);
    this.blame.add(attribution, { slot, reason: `HTTP ${status}` });
    return attribution;
  }

  /** An upstream gave no answer. Tells whether another one may be asked. */
  failure(slot: Slot, error: unknown): { error: unknown; retry: boolean } {
    const outcome =
      error instanceof ApiError ? { error: error.kind, isTaken: isTaken(error) } : undefined;
    const attribution = outcome === undefined ? "nobody" : attributionOf(outcome);
    slot.failed(error, attribution !== "nobody");
    this.#context.record?.attemptFailed(error instanceof ApiError ? error.code : "internal");
    this.blame.add(attribution, { slot, reason: errorMessage(error) });
    return { error, retry: this.mayRetry(attribution) };
  }

  /** Whether another upstream may do better. */
  mayRetry(attribution: Attribution): boolean {
    return attribution !== "nobody" && attribution !== "request" && !this.blame.isRequests;
  }
}

/** Whether the upstream had taken the request before it failed: it may have been its death. */
function isTaken({ cause }: ApiError): boolean {
  return cause instanceof ClientError && cause.code === "broken";
}
