import { backoffMs } from "../../lib/backoff.ts";
import { PullError, type Setback } from "./failure.ts";
import { pause } from "./wait.ts";

export interface PatienceOptions {
  /** Setbacks in a row, without anything having come in between. */
  attemptsMax: number;
  /** Wait after the first one; doubled each time. */
  firstMs: number;
  maxMs: number;
}

export const PATIENCE: PatienceOptions = { attemptsMax: 8, firstMs: 500, maxMs: 30_000 };

/** So much has to come before a source is believed to work again. */
const PROGRESS_BYTES = 256 * 1024;

/** How long a source is tried that fails now and then; its ranges share one. */
export class Patience {
  readonly #options: PatienceOptions;
  #setbacks = 0;
  #came = 0;

  constructor(options: PatienceOptions) {
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
    await pause(setback.retryAfterMs ?? backoffMs(this.#setbacks - 1, this.#options), signal);
  }
}
