import type { Exchange } from "./exchange.ts";

export interface ExchangeLimitOptions {
  /** Aborts the exchange with its reason. */
  signal: AbortSignal;
  /** Aborts the exchange with `error` after `ms`. Default: no limit. */
  timeout?: { ms: number; error: Error };
}

/** Aborts an exchange when its time is over or a signal is aborted, until it is disposed of. */
export class ExchangeLimit implements Disposable {
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  readonly #timer: Timer | undefined;

  constructor(exchange: Exchange, { signal, timeout }: ExchangeLimitOptions) {
    this.#signal = signal;
    this.#onAbort = () => exchange.abort(signal.reason);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => exchange.abort(timeout.error), timeout.ms);
    }
  }

  /** A sign of life: the time starts again. */
  refresh(): void {
    this.#timer?.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
