import { backoffMs } from "../../lib/backoff.ts";
import { sleep } from "../../lib/sleep.ts";
import { PullError, type TransientError } from "./error.ts";

export interface RetryLimitOptions {
  /** Failures in a row, without bytes in between, after which the source is given up. */
  attemptsMax: number;
  /** Wait after the first failure; doubled each time. */
  firstMs: number;
  maxMs: number;
  /** Longest wait that is granted to a server's `Retry-After`. Default: 5 min. */
  retryAfterMaxMs?: number;
}

const RETRY_AFTER_MS_MAX = 5 * 60_000;

export const RETRY_LIMIT_DEFAULT: RetryLimitOptions = {
  attemptsMax: 8,
  firstMs: 500,
  maxMs: 30_000,
};

/** A source works again after it has sent this much. */
const PROGRESS_BYTES = 256 * 1024;

/** Decides how often a source that fails is tried again; the ranges of a file share one limit. */
export class RetryLimit {
  readonly #options: RetryLimitOptions;
  #failures = 0;
  #received = 0;

  constructor(options: RetryLimitOptions) {
    this.#options = options;
  }

  /** Counts bytes that the source has sent. */
  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received < PROGRESS_BYTES) return;
    this.#received = 0;
    this.#failures = 0;
  }

  /** Waits before the next attempt. Throws `PullError` after too many, or the signal's reason. */
  async after(failure: TransientError, url: string, signal: AbortSignal): Promise<void> {
    const { attemptsMax: own } = this.#options;
    const attemptsMax = Math.min(own, failure.attemptsMax ?? own);
    this.#failures += 1;
    if (this.#failures >= attemptsMax) {
      const message = `Fetching ${url.split("?")[0]} failed ${attemptsMax} times in a row, the \
last time because: ${failure.message}. What has come is kept: pull again to go on.`;
      throw new PullError("unreachable", message, failure);
    }
    const { retryAfterMaxMs = RETRY_AFTER_MS_MAX } = this.#options;
    const requestedMs = failure.retryAfterMs;
    const ownMs = backoffMs(this.#failures - 1, this.#options);
    await sleep(requestedMs === undefined ? ownMs : Math.min(requestedMs, retryAfterMaxMs), signal);
  }
}
