import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import type { Logger } from "../../lib/log.ts";
import { ApiError, type Dialect, type ErrorKind } from "../../wire/error.ts";
import type { Slot } from "../upstream/upstream.ts";
import { AuthErrorRewrite } from "./autherror.ts";
import type { ProviderMetrics } from "./metrics.ts";
import type { ProviderModel } from "./model.ts";

export interface ProviderSlotOptions {
  upstream: ProviderModel;
  metrics: ProviderMetrics;
  log: Logger;
  firstByteTimeoutMs: number;
  dialect: Dialect;
  requestId: string;
}

/** The provider was not to blame: its client left, or this process ends. */
const OURS = new Set<ErrorKind>(["client_closed", "draining"]);

/** One request to a provider: providers have their own queues, so there is always one. */
export class ProviderSlot implements Slot {
  readonly upstream: ProviderModel;
  readonly firstByteTimeoutMs: number;
  readonly contentTimeoutMs: number;
  readonly isTrusted = true;
  readonly #options: ProviderSlotOptions;
  readonly #sentAtMs = performance.now();
  #isRecorded = false;

  constructor(options: ProviderSlotOptions) {
    this.#options = options;
    this.upstream = options.upstream;
    this.firstByteTimeoutMs = options.firstByteTimeoutMs;
    this.contentTimeoutMs = options.firstByteTimeoutMs;
  }

  /** A refusal of the balancer's own key is told as such. */
  rewrite(rewrite: Rewrite | undefined): Rewrite {
    const { upstream, dialect, requestId, log } = this.#options;
    const { provider } = upstream;
    return new AuthErrorRewrite({ provider, rewrite, dialect, requestId, log });
  }

  sent(): void {
    // Nobody checks providers, so nothing but their own limits ends what is sent to them.
  }

  answered(status: number): void {
    this.#record(status, performance.now() - this.#sentAtMs);
  }

  rejected(status: number): void {
    this.answered(status);
  }

  refused(): void {
    // No other upstream is asked in its place, so there is nothing to find out.
  }

  blame(): void {
    // Providers have no circuit: an operator chose them by name.
  }

  ended(outcome: SendOutcome): void {
    // Only how its answer begins counts, but a stream may end before it does.
    if (!this.#isRecorded) this.#record(outcome === "failed" ? "unreachable" : "cancelled");
  }

  failed(error: unknown): void {
    const isGone = error instanceof ApiError && OURS.has(error.kind);
    this.#record(isGone ? "cancelled" : "unreachable");
  }

  #record(status: number | "unreachable" | "cancelled", latencyMs?: number): void {
    this.#isRecorded = true;
    this.#options.metrics.record(this.upstream.provider.name, status, latencyMs);
  }
}
