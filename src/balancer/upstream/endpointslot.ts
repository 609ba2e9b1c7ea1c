import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import type { Logger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import type { Grant } from "../routing/grant.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EndRequest, SentRequest } from "./silentrequests.ts";
import type { Slot } from "./upstream.ts";

/** What learns how requests to endpoints went. */
export interface EndpointSlotParts {
  log: Logger;
  /** Has the clock of the routing. */
  gate: { now(): number };
  /** Checks endpoints of which a request broke off. */
  monitor: { countBrokenRequest(endpoint: Endpoint): void };
}

export interface EndpointSlotOptions {
  parts: EndpointSlotParts;
  grant: Grant<Endpoint>;
  firstByteTimeoutMs: number;
  contentTimeoutMs: number;
  requestId: string;
}

/**
 * A slot of an endpoint. How the request goes counts for the endpoint's latency, its circuit and
 * its health.
 */
export class EndpointSlot implements Slot {
  readonly upstream: Endpoint;
  readonly firstByteTimeoutMs: number;
  readonly contentTimeoutMs: number;
  readonly #parts: EndpointSlotParts;
  readonly #grant: Grant<Endpoint>;
  readonly #requestId: string;
  readonly #sentAtMs: number;
  #status = 0;
  #hasEnded = false;
  /** The request, as long as it runs. */
  #sent: SentRequest | undefined;

  constructor(options: EndpointSlotOptions) {
    const { parts, grant, requestId } = options;
    this.upstream = grant.endpoint;
    this.firstByteTimeoutMs = options.firstByteTimeoutMs;
    this.contentTimeoutMs = options.contentTimeoutMs;
    this.#parts = parts;
    this.#grant = grant;
    this.#requestId = requestId;
    this.#sentAtMs = parts.gate.now();
  }

  rewrite(rewrite: Rewrite | undefined): Rewrite | undefined {
    return rewrite;
  }

  sent(end: EndRequest, move?: () => void): void {
    this.#sent = this.upstream.silent.add(end, performance.now(), move);
  }

  /** Nobody ends it any more but its client and its limits. */
  #isOver(): void {
    if (this.#sent !== undefined) this.upstream.silent.delete(this.#sent);
    this.#sent = undefined;
  }

  answered(status: number): void {
    if (this.#sent !== undefined) this.upstream.silent.begin(this.#sent);
    this.#status = status;
    const nowMs = this.#parts.gate.now();
    this.upstream.requestError = null;
    if (status < 300) this.#grant.answered(nowMs, nowMs - this.#sentAtMs);
    else this.#grant.answered(nowMs);
  }

  rejected(status: number): void {
    this.#isOver();
    this.#status = status;
    this.#parts.log.warn({ ...this.#fields(), status }, "endpoint.refused");
    // The slot is free from now on, whether the answer is used in the end or not.
    this.#finish(false);
  }

  get isTrusted(): boolean {
    return this.upstream.circuits.isTrusted(this.#grant.model);
  }

  refused(): void {
    this.#grant.refused();
  }

  blame(reason: string): void {
    this.upstream.requestError = reason;
    this.#grant.failed(this.#parts.gate.now());
  }

  ended(outcome: SendOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#isOver();
    if (outcome === "cancelled" || outcome === "stopped") {
      this.#grant.cancel(this.#parts.gate.now());
      return;
    }
    if (outcome === "failed") {
      this.#parts.log.warn(this.#fields(), "stream.broke");
      this.#grant.failed(this.#parts.gate.now());
      this.#parts.monitor.countBrokenRequest(this.upstream);
    }
    this.#finish(outcome === "complete" && this.#status < 400);
  }

  failed(error: unknown, isUpstreams: boolean): void {
    this.#hasEnded = true;
    this.#isOver();
    const { log, gate, monitor } = this.#parts;
    if (!isUpstreams) {
      this.#grant.cancel(gate.now());
      return;
    }
    const cause = error instanceof ApiError ? error.cause : undefined;
    log.warn({ ...this.#fields(), err: error, cause }, "endpoint.failed");
    this.#finish(false);
    monitor.countBrokenRequest(this.upstream);
  }

  #finish(success: boolean): void {
    const nowMs = this.#parts.gate.now();
    this.#grant.finish({ success, nowMs, latencyMs: nowMs - this.#sentAtMs });
  }

  #fields() {
    return {
      request_id: this.#requestId,
      endpoint: this.upstream.name,
      model: this.#grant.model,
    };
  }
}
