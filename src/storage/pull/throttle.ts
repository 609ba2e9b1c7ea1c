import { sleep } from "../../lib/sleep.ts";

export interface ThrottleOptions {
  /** Bytes a second; 0: no limit. */
  bytesPerSecond: number;
  /** Default: the system's clock. */
  nowMs?: () => number;
  /** Default: a timer. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** After a pause, as many bytes may be taken at once as the limit allows in this time. */
const BURST_MS = 250;

/** A token bucket that all pulls of a process share: taking may overdraw it, and then waits. */
export class Throttle {
  #bytesPerSecond: number;
  readonly #nowMs: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** When the bucket is no longer overdrawn. */
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor({ bytesPerSecond, nowMs, wait }: ThrottleOptions) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#nowMs = nowMs ?? (() => performance.now());
    this.#wait = wait ?? sleep;
  }

  /** How much of the limit each of several connections has; infinite without a limit. */
  shareBytesPerMs(connections: number): number {
    if (this.#bytesPerSecond <= 0) return Number.POSITIVE_INFINITY;
    return this.#bytesPerSecond / 1000 / connections;
  }

  /** Changes the limit for bytes that are taken from now on. */
  limit(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /**
   * Waits until `bytes` may be used. With a `weight` of 3 they count three times: less urgent files
   * get a third of the bandwidth.
   */
  async take(bytes: number, weight: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond <= 0) return;
    const nowMs = this.#nowMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - BURST_MS);
    this.#freeAtMs += (bytes * weight * 1000) / this.#bytesPerSecond;
    const debtMs = this.#freeAtMs - nowMs;
    if (debtMs > 0) await this.#wait(debtMs, signal);
  }
}
