import { ClientError } from "../../http/client/failure.ts";
import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { ApiError } from "../../wire/error.ts";
import type { Slot, Upstream } from "../upstream/upstream.ts";

/** An attempt at one upstream, by `performance.now()`. */
export interface TracedAttempt {
  readonly spanId: string;
  readonly upstream: Pick<Upstream, "name" | "url" | "telemetryName">;
  /** The model as the upstream calls it. */
  readonly model: string;
  readonly startMs: number;
  /** Undefined as long as it runs. */
  endMs?: number;
  /** The upstream's own; undefined if it gave none. */
  status?: number;
  /** How it failed, if its status does not tell. */
  error?: string;
}

/** A slot that also notes, for the trace of its request, how the attempt goes. */
export class TracedSlot implements Slot {
  readonly #slot: Slot;
  readonly #attempt: TracedAttempt;

  constructor(slot: Slot, attempt: TracedAttempt) {
    this.#slot = slot;
    this.#attempt = attempt;
  }

  get upstream(): Upstream {
    return this.#slot.upstream;
  }

  get firstByteTimeoutMs(): number {
    return this.#slot.firstByteTimeoutMs;
  }

  get contentTimeoutMs(): number {
    return this.#slot.contentTimeoutMs;
  }

  get isTrusted(): boolean {
    return this.#slot.isTrusted;
  }

  rewrite(rewrite: Rewrite | undefined): Rewrite | undefined {
    return this.#slot.rewrite(rewrite);
  }

  sent(...parts: Parameters<Slot["sent"]>): void {
    this.#slot.sent(...parts);
  }

  answered(status: number): void {
    this.#attempt.status = status;
    this.#slot.answered(status);
  }

  rejected(status: number): void {
    this.#attempt.status = status;
    // What is left of the answer may be read later, or never.
    this.#attempt.endMs = performance.now();
    this.#slot.rejected(status);
  }

  ended(outcome: SendOutcome): void {
    if (outcome === "failed") this.#attempt.error ??= "stream_broke";
    this.#attempt.endMs ??= performance.now();
    this.#slot.ended(outcome);
  }

  failed(error: unknown, isUpstreams: boolean): void {
    this.#attempt.error ??= typeOf(error);
    this.#attempt.endMs ??= performance.now();
    this.#slot.failed(error, isUpstreams);
  }

  refused(): void {
    this.#slot.refused();
  }

  blame(reason: string): void {
    this.#slot.blame(reason);
  }
}

/** The kind of a failure: its message may hold what nobody else is to know. */
function typeOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "internal";
  return error.cause instanceof ClientError ? error.cause.code : error.kind;
}
