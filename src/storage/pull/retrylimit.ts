import { backoffMs } from "../../lib/backoff.ts";
import { sleep } from "../../lib/sleep.ts";
import { PullError, type Setback } from "./failure.ts";

export interface RetryLimitOptions {
  /** Setbacks in a row, without anything having come in between. */
  attemptsMax: number;
  /** Wait after the first one; doubled each time. */
  firstMs: number;
  maxMs: number;
  /** Longest wait that a server may ask for. Default: 5 min. */
  retryAfterMaxMs?: number;
}

const RETRY_AFTER_MS_MAX = 5 * 60_000;

export const RETRY_LIMIT_DEFAULT: RetryLimitOptions = {
  attemptsMax: 8,
  firstMs: 500,
  maxMs: 30_000,
};

/** So much has to come before a source is believed to work again. */
const PROGRESS_BYTES = 256 * 1024;

/** How long a source is tried that fails now and then; its ranges share one. */
export class RetryLimit {
  readonly #options: RetryLimitOptions;
  #setbacks = 0;
  #came = 0;

  constructor(options: RetryLimitOptions) {
    this.#options = options;
  }

  /** Bytes have come. */
  came(bytes: number): void {
    this.#came += bytes;
    if (this.#came < PROGRESS_BYTES) return;
    this.#came = 0;
    this.#setbacks = 0;
  }

  /** Waits before the next attempt. Throws `PullError` when there were too many. */
  async after(setback: Setback, url: string, signal: AbortSignal): Promise<void> {
    const { attemptsMax } = this.#options;
    this.#setbacks += 1;
    if (this.#setbacks >= attemptsMax) {
      const message = `Fetching ${url.split("?")[0]} failed ${attemptsMax} times in a row, the \
last time because: ${setback.message}. What has come is kept: pull again to go on.`;
      throw new PullError("unreachable", message, setback);
    }
    const { retryAfterMaxMs = RETRY_AFTER_MS_MAX } = this.#options;
    const asked = setback.retryAfterMs;
    const own = backoffMs(this.#setbacks - 1, this.#options);
    await sleep(asked === undefined ? own : Math.min(asked, retryAfterMaxMs), signal);
  }
}
