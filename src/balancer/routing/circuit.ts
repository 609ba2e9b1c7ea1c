import { backoffMs } from "../../lib/backoff.ts";

/** Where a circuit stands. */
export type CircuitState = "closed" | "open" | "half_open" | "probing";

/** When a circuit opens, and for how long. */
export interface CircuitOptions {
  /** Failures in a row that open it; default 5. */
  failuresMax?: number;
  /** First back-off; default 1 s. It doubles with every probe that fails. */
  firstMs?: number;
  /** Longest back-off; default 60 s. */
  maxMs?: number;
}

/**
 * Keeps requests from an endpoint that fails them. A failure is a transport failure or a 5xx; a
 * success is any other answer, told at its first byte.
 *
 * | state                         | begin   | success | failure                  | no verdict |
 * |-------------------------------|---------|---------|--------------------------|------------|
 * | closed, few failures          | closed  | closed, 0 failures | closed, one more | closed |
 * | closed, one failure too few   | closed  | closed, 0 failures | open, first back-off | closed |
 * | open, back-off runs           | (never) | closed  | open, as it was          | open       |
 * | half-open: back-off is over   | probing | closed  | half-open                | half-open  |
 * | probing, by the probe         | (never) | closed  | open, back-off doubled   | half-open  |
 * | probing, by an older request  |         | closed  | probing                  | probing    |
 */
export class Circuit {
  /**
   * Requests are let through from this time on: -Infinity when closed, Infinity while a probe is
   * under way. One number, since selection reads it of every candidate.
   */
  blockedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #options: Required<CircuitOptions>;
  #failures = 0;
  #openings = 0;
  #retryAtMs = 0;

  constructor({ failuresMax = 5, firstMs = 1000, maxMs = 60_000 }: CircuitOptions = {}) {
    this.#options = { failuresMax, firstMs, maxMs };
  }

  state(nowMs: number): CircuitState {
    if (this.blockedUntilMs === Number.NEGATIVE_INFINITY) return "closed";
    if (this.blockedUntilMs === Number.POSITIVE_INFINITY) return "probing";
    return nowMs >= this.blockedUntilMs ? "half_open" : "open";
  }

  /** A request is sent; true if it is the probe, which has to be said when its verdict comes. */
  begin(nowMs: number): boolean {
    if (this.state(nowMs) !== "half_open") return false;
    this.blockedUntilMs = Number.POSITIVE_INFINITY;
    return true;
  }

  /** A request was answered; true if that closed the circuit. */
  succeed(): boolean {
    const closes = this.blockedUntilMs !== Number.NEGATIVE_INFINITY;
    this.reset();
    return closes;
  }

  /** A request failed; true if that opened the circuit. */
  fail(nowMs: number, probe: boolean): boolean {
    if (this.state(nowMs) === "closed") {
      this.#failures += 1;
      if (this.#failures < this.#options.failuresMax) return false;
    } else if (!probe) {
      return false;
    }
    this.#retryAtMs = nowMs + backoffMs(this.#openings, this.#options);
    this.#openings += 1;
    this.blockedUntilMs = this.#retryAtMs;
    return true;
  }

  /** The probe ended without a verdict, e.g. its client left: another one may follow. */
  abandon(): void {
    if (this.blockedUntilMs === Number.POSITIVE_INFINITY) this.blockedUntilMs = this.#retryAtMs;
  }

  /** Closes the circuit, e.g. because the endpoint was replaced. */
  reset(): void {
    this.blockedUntilMs = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
    this.#openings = 0;
  }
}
