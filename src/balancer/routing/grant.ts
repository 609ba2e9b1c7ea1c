import type { Circuits } from "./circuits.ts";
import type { Latency } from "./latency.ts";
import type { ActiveRequest, Load, RequestEnd } from "./load.ts";
import type { ModelUse } from "./modelwarmth.ts";
import type { Reason } from "./selection.ts";
import type { Warmth } from "./warmth.ts";

/** An endpoint with what is counted of it. */
interface Counted {
  readonly load: Load;
  readonly latency: Latency;
  readonly circuits: Circuits;
  readonly warmth: Warmth;
}

/** Who wants to know what grants do to an endpoint. */
export interface GrantEvents<E> {
  /** A slot is free, or the endpoint takes more than before. */
  onFree(endpoint: E, nowMs: number): void;
  /** Its circuit for a model opened. */
  onBlocked(endpoint: E, untilMs: number): void;
}

export interface GrantOptions<E extends Counted> {
  endpoint: E;
  model: string;
  /** Why this endpoint: what selection said, or that the request was next in the queue. */
  reason: Reason | "queue";
  waitedMs: number;
  nowMs: number;
  events: GrantEvents<E>;
}

/**
 * A slot of an endpoint, for one request. Say `answered` or `failed` once it is known, and in any
 * case `finish` or `cancel` at the end of the answer's last byte: that gives the slot back.
 */
export class Grant<E extends Counted> {
  readonly endpoint: E;
  readonly model: string;
  readonly reason: Reason | "queue";
  /** Time in the queue; 0 for a request that found a free slot. */
  readonly waitedMs: number;
  readonly #request: ActiveRequest;
  readonly #use: ModelUse;
  readonly #events: GrantEvents<E>;
  /** This request decides whether the circuit of its model closes. */
  readonly #isProbe: boolean;
  /** It has not decided yet. */
  #isUndecided: boolean;

  constructor({ endpoint, model, reason, waitedMs, nowMs, events }: GrantOptions<E>) {
    this.endpoint = endpoint;
    this.model = model;
    this.reason = reason;
    this.waitedMs = waitedMs;
    this.#events = events;
    this.#isProbe = endpoint.circuits.begin(model, nowMs);
    this.#isUndecided = this.#isProbe;
    this.#use = endpoint.warmth.begin(model, nowMs);
    this.#request = endpoint.load.begin(reason === "explore" || reason === "re-explore");
  }

  /**
   * The endpoint's first byte came and is no failure of its own. `latencyMs`, the time since the
   * sending, counts for its moving average unless a load was part of it; leave it out unless the
   * request succeeded.
   */
  answered(nowMs: number, latencyMs?: number): void {
    if (latencyMs !== undefined) {
      const usualMs = this.endpoint.latency.emaMs;
      const isUsual = this.#use.answered(latencyMs, { nowMs, usualMs });
      if (isUsual) this.endpoint.latency.record(latencyMs, nowMs);
      this.endpoint.circuits.trust(this.model);
    }
    this.#request.explored();
    this.#isUndecided = false;
    if (this.endpoint.circuits.succeed(this.model)) this.#events.onFree(this.endpoint, nowMs);
  }

  /** The endpoint refused the request, whoever is at fault. */
  refused(): void {
    this.endpoint.circuits.distrust(this.model);
  }

  /** The endpoint failed the request, which may be known late: its circuit may open. */
  failed(nowMs: number): void {
    this.#request.explored();
    const untilMs = this.endpoint.circuits.fail(this.model, nowMs, this.#isProbe);
    if (untilMs !== undefined) this.#events.onBlocked(this.endpoint, untilMs);
    this.#isUndecided = false;
  }

  /** Gives the slot back and counts the request; false if it was given back before. */
  finish(end: RequestEnd): boolean {
    if (!this.#request.finish(end)) return false;
    this.#use.end(end.success ? end.latencyMs : undefined);
    this.#free(end.nowMs);
    return true;
  }

  /** Gives the slot back of a request that counts neither as success nor as error. */
  cancel(nowMs: number): boolean {
    if (!this.#request.cancel()) return false;
    this.#use.end();
    this.#free(nowMs);
    return true;
  }

  #free(nowMs: number): void {
    if (this.#isUndecided) this.endpoint.circuits.abandon(this.model);
    this.#isUndecided = false;
    this.#events.onFree(this.endpoint, nowMs);
  }
}
