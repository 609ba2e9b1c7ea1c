/** How fast the ranges of one file come, to know which is far slower than the others. */
export class FilePace {
  readonly #windowMs: number;
  /** The highest rate that a range had over a window. */
  #bestBytesPerMs = 0;

  /** @param windowMs How long a range is watched before it is judged. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Begins to watch a range. */
  range(nowMs: number): RangePace {
    return new RangePace(this, this.#windowMs, nowMs);
  }

  note(bytesPerMs: number): void {
    this.#bestBytesPerMs = Math.max(this.#bestBytesPerMs, bytesPerMs);
  }

  /** Below this rate a range is slow. `fairBytesPerMs` is what limits of our own leave to each. */
  threshold(fairBytesPerMs: number): number {
    const lowest = Math.max(this.#bestBytesPerMs / FACTOR, FLOOR_BYTES_PER_MS);
    return Math.min(lowest, fairBytesPerMs / FACTOR);
  }
}

/** A range is slow when another has been so many times as fast. */
const FACTOR = 20;
/** Without others to compare with: 1 KiB/s. */
const FLOOR_BYTES_PER_MS = 1.024;
const WINDOW_FACTOR_MAX = 16;
/** Rates of less are those of buffers. */
const MEASURED_BYTES_MIN = 64 * 1024;

/**
 * Watches how fast one range comes, and says when it had better be asked for anew:
 *
 * 1. Over each window of 30 s, its rate is compared with a twentieth of the best that any range of
 *    the file had, at least 1 KiB/s; but no more than a twentieth of what a limit leaves to each.
 * 2. If it is below, the range is slow, and the next window is twice as long, up to 16 times: a
 *    server that gives no more is not asked again and again.
 */
export class RangePace {
  readonly #file: FilePace;
  readonly #shortestMs: number;
  #windowMs: number;
  #sinceMs: number;
  #bytes = 0;

  constructor(file: FilePace, windowMs: number, nowMs: number) {
    this.#file = file;
    this.#shortestMs = windowMs;
    this.#windowMs = windowMs;
    this.#sinceMs = nowMs;
  }

  /** Counts bytes that came. Returns whether the range is slow. */
  isSlow(bytes: number, nowMs: number, fairBytesPerMs = Number.POSITIVE_INFINITY): boolean {
    this.#bytes += bytes;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < this.#windowMs) return false;
    const rate = this.#bytes / elapsedMs;
    this.restart(nowMs);
    if (rate < this.#file.threshold(fairBytesPerMs)) {
      this.#windowMs = Math.min(this.#windowMs * 2, this.#shortestMs * WINDOW_FACTOR_MAX);
      return true;
    }
    this.#file.note(rate);
    return false;
  }

  /** Begins a new window: a request for the rest of the range is sent. */
  restart(nowMs: number): void {
    this.#bytes = 0;
    this.#sinceMs = nowMs;
  }

  /** Notes how fast the range came that has ended. */
  end(nowMs: number): void {
    const elapsedMs = Math.max(1, nowMs - this.#sinceMs);
    if (this.#bytes >= MEASURED_BYTES_MIN) this.#file.note(this.#bytes / elapsedMs);
  }
}
