import type { Settings } from "../../config/settings.ts";
import { ClientError } from "../../http/client/failure.ts";
import { ApiError } from "../../wire/error.ts";
import type { ProviderModel } from "../providers/model.ts";
import type { Providers } from "../providers/providers.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Slot } from "../upstream/upstream.ts";
import type { Blame } from "./blame.ts";
import type { ClientBody } from "./body.ts";
import { type ComebackParts, comeback } from "./comeback.ts";
import type { RequestContext } from "./context.ts";
import type { PoolRequest, PoolSlots } from "./poolslots.ts";
import { forwardedOf, type Result } from "./result.ts";
import { FALLBACK_KINDS, RETRIES_MAX } from "./retry.ts";
import type { StreamMove } from "./streammove.ts";

export interface NextSlotParts extends ComebackParts {
  slots: PoolSlots;
  providers: Providers;
  settings: Pick<Settings, "firstByteTimeoutMs" | "queueTimeoutMs">;
}

export interface NextSlotRequest {
  context: RequestContext;
  body: Pick<ClientBody, "isSendable" | "continues">;
  blame: Pick<Blame, "hasRefusals">;
}

/**
 * The slot of the upstream that a request is sent to next:
 *
 * 1. one that its stream is moved to, away from an endpoint that is drained;
 * 2. else an endpoint's, at most 1 + `RETRIES_MAX` times, and until the request's deadline; where a
 *    stream goes on that broke, as often once more, and endpoints that failed it are waited for
 *    (`comeback`), since who did not take the request costs nothing;
 * 3. else, if nothing came of those, the provider's of the operator's fallback rule, once: where a
 *    stream goes on, if its model can, and then before an endpoint is waited for.
 */
export class NextSlot {
  readonly #parts: NextSlotParts;
  readonly #request: NextSlotRequest;
  readonly poolRequest: PoolRequest;
  /** Moves its stream. */
  move: StreamMove | undefined;
  /** Slots of endpoints that it had. */
  #attempts = 0;
  #isPoolDone = false;
  #isFallbackDone: boolean;
  /** Whether a provider's model can take it now. */
  #isAble: (model: ProviderModel) => boolean = () => true;
  /** Until when a stream that broke waits for those that failed it; undefined: it did not break. */
  #backUntilMs: number | undefined;

  constructor(parts: NextSlotParts, request: NextSlotRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#isFallbackDone = request.body.continues;
    this.poolRequest = { context: request.context, fingerprint: undefined, tried: [] };
  }

  /** The slot after `last`; undefined: that result stands. Throws if there is neither. */
  after(last: Result | undefined): Slot | undefined | Promise<Slot | undefined> {
    const { slots } = this.#parts;
    const moved = this.move?.take();
    if (moved !== undefined) return moved;
    const backUntilMs = this.#backUntilMs;
    if (backUntilMs !== undefined && isUntaken(last)) this.#attempts -= 1;
    if (this.#isPoolDone || (last !== undefined && this.#isOver)) return this.#fallback();
    const acquired =
      backUntilMs === undefined || this.#fallbackModel() !== undefined
        ? slots.acquire(this.poolRequest)
        : comeback(this.#parts, this.poolRequest, backUntilMs);
    return acquired instanceof Promise
      ? acquired.then((slot) => this.#slotOr(slot, last))
      : this.#slotOr(acquired, last);
  }

  get #isOver(): boolean {
    return this.#attempts > RETRIES_MAX || !this.#parts.slots.hasTime(this.#request.context);
  }

  /** Its stream broke at an endpoint: others may go on with it, `isAble` models of clouds too. */
  goOn(from: Endpoint, isAble: (model: ProviderModel) => boolean): void {
    const { slots, settings } = this.#parts;
    const { firstByteTimeoutMs, queueTimeoutMs } = settings;
    this.#request.context.deadlineMs = slots.deadlineIn(firstByteTimeoutMs);
    this.#backUntilMs = slots.deadlineIn(Math.min(queueTimeoutMs, firstByteTimeoutMs));
    this.poolRequest.tried = [from];
    this.poolRequest.hasBegun = true;
    this.#attempts = 0;
    this.#isPoolDone = false;
    this.#isAble = isAble;
  }

  #slotOr(acquired: Slot | ApiError, last: Result | undefined): Slot | undefined {
    if (!(acquired instanceof ApiError)) {
      this.#attempts += 1;
      return acquired;
    }
    this.#isPoolDone = true;
    if (acquired.kind === "client_closed") throw acquired;
    const mayFallBack = last !== undefined || FALLBACK_KINDS.has(acquired.kind);
    const fallback = mayFallBack && this.#request.body.isSendable ? this.#fallback() : undefined;
    if (fallback === undefined && last === undefined) throw acquired;
    return fallback;
  }

  #fallback(): Slot | undefined {
    const model = this.#fallbackModel();
    if (model === undefined) return undefined;
    this.#isFallbackDone = true;
    return this.at(model);
  }

  /** The model of the operator's rule, if it is its turn. */
  #fallbackModel(): ProviderModel | undefined {
    const { context, blame } = this.#request;
    // A request that may be wrong is not worth a provider's price.
    if (this.#isFallbackDone || blame.hasRefusals) return undefined;
    if (context.pin !== undefined) return undefined;
    const model = this.#parts.providers.fallbackOf(context.model);
    return model !== undefined && this.#isAble(model) ? model : undefined;
  }

  /** A slot of a provider's model. */
  at(upstream: NonNullable<RequestContext["provider"]>): Slot {
    const { dialect, requestId } = this.#request.context;
    const { providers, settings } = this.#parts;
    const { firstByteTimeoutMs } = settings;
    return providers.slot({ upstream, firstByteTimeoutMs, dialect, requestId });
  }
}

/** Whether an upstream did not take the request: it is not there, starts, or is about to end. */
function isUntaken(last: Result | undefined): boolean {
  if (last === undefined) return false;
  if ((last.status ?? forwardedOf(last)?.status) === 503) return true;
  const error = "error" in last ? last.error : undefined;
  const cause = error instanceof ApiError ? error.cause : undefined;
  return cause instanceof ClientError && cause.code === "connect";
}
