import type { Settings } from "../../config/settings.ts";
import { sleep } from "../../lib/sleep.ts";
import { ApiError } from "../../wire/error.ts";
import { ENDPOINT_DRAINED } from "../../wire/history.ts";
import type { Continuation } from "../continuation/continuation.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { Slot } from "../upstream/upstream.ts";
import type { RequestContext } from "./context.ts";
import type { PoolRequest, PoolSlots } from "./poolslots.ts";

/** How often, and for how long, a stream is tried to be ended whose client does not read. */
const RETRY_MS = 50;
const TRIES_MAX = 40;

interface StreamMoveParts {
  slots: PoolSlots;
  poolRequest: PoolRequest;
  continuation: Continuation;
  settings: Pick<Settings, "firstByteTimeoutMs">;
}

/** Ends the stream at its endpoint; false as long as its client has not read what there is. */
type EndStream = (reason: ApiError, silentSinceMs?: number) => boolean;

/**
 * Moves a stream away from an endpoint that is drained. It stays until another endpoint has a slot
 * for it, and to its end if none has: being moved must cost it nothing.
 */
export class StreamMove {
  readonly #parts: StreamMoveParts;
  readonly #context: RequestContext;
  /** What the request needs of an endpoint, wherever it goes on. */
  readonly #requirement: RequestContext["requirement"];
  /** Whose stream the client gets. */
  serving: Slot | undefined;
  #next: Slot | undefined;

  constructor(parts: StreamMoveParts) {
    this.#parts = parts;
    this.#context = parts.poolRequest.context;
    this.#requirement = this.#context.requirement;
  }

  /** The slot where a stream goes on that was ended for it. */
  take(): Slot | undefined {
    const next = this.#takeNext();
    if (next?.upstream instanceof Endpoint) this.#parts.poolRequest.tried.push(next.upstream);
    return next;
  }

  /** A slot's endpoint is drained. Never rejects. */
  async begin(slot: Slot, end: EndStream): Promise<void> {
    const { slots, poolRequest, settings } = this.#parts;
    const { upstream } = slot;
    if (!(upstream instanceof Endpoint) || !this.#mayMove(slot)) return;
    this.#context.deadlineMs = slots.deadlineIn(settings.firstByteTimeoutMs);
    const acquired = await slots.acquire({ ...poolRequest, tried: [upstream] });
    if (acquired instanceof ApiError) return;
    this.#next = acquired;
    for (let i = 0; i < TRIES_MAX && this.#mayMove(slot); i += 1) {
      if (end(moved(), performance.now())) return;
      // A client that leaves ends the stream, which then is not served any more.
      await sleep(RETRY_MS, this.#context.client.signal).catch(() => undefined);
    }
    this.#giveBack();
  }

  /** The stream has ended. Idempotent. */
  close(): void {
    this.serving = undefined;
    this.#giveBack();
  }

  #takeNext(): Slot | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  /** Gives back a slot that was not used: its endpoint has not been tried. */
  #giveBack(): void {
    this.#takeNext()?.ended("cancelled");
  }

  /** Whether the slot still serves the stream, and another endpoint could go on with it now. */
  #mayMove(slot: Slot): boolean {
    if (this.serving !== slot) return false;
    const context = this.#context;
    context.requirement = this.#parts.continuation.movingRequirement(this.#requirement);
    return context.requirement !== undefined;
  }
}

function moved(): ApiError {
  const message =
    "The answer broke off: its endpoint is drained, and no other one went on. \
Try again.";
  return new ApiError("upstream", message, { code: ENDPOINT_DRAINED });
}
