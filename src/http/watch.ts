import { ApiError } from "../wire/error.ts";

/** Whom a forwarded request waits for at the moment. */
export type Awaited = "answer" | "rest" | "client";

export interface WatchOptions {
  /** How errors call the target, e.g. `endpoint gpu1`. */
  label: string;
  /** Aborted when the client goes away. */
  client: AbortSignal;
}

/**
 * Ends one forwarded request when somebody it waits for is gone or silent too long. `signal` aborts
 * with the `ApiError` that tells which: `client_closed` or `timeout`.
 */
export class Watch {
  readonly #abort = new AbortController();
  readonly #options: WatchOptions;
  readonly #onClientGone = () => this.#abort.abort(clientGone());
  #awaited: Awaited = "answer";
  #timer: Timer | undefined;

  /** Throws `client_closed` if the client has gone already. */
  constructor(options: WatchOptions) {
    if (options.client.aborted) throw clientGone();
    this.#options = options;
    options.client.addEventListener("abort", this.#onClientGone, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the request was ended, if it was. */
  get reason(): ApiError | undefined {
    const { aborted, reason } = this.#abort.signal;
    return aborted && reason instanceof ApiError ? reason : undefined;
  }

  /** From now on, at most `limitMs` may pass until the next `wait` or `touch`. */
  wait(awaited: Awaited, limitMs: number): void {
    this.#awaited = awaited;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(this.#silent()), limitMs);
  }

  /** A sign of life: the limit of the last `wait` starts again, now for `awaited`. */
  touch(awaited: Awaited): void {
    this.#awaited = awaited;
    this.#timer?.refresh();
  }

  /** The client does not want the answer any more. */
  cancel(): void {
    this.#abort.abort(clientGone());
    this.end();
  }

  /** Stops watching. Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    this.#options.client.removeEventListener("abort", this.#onClientGone);
  }

  #silent(): ApiError {
    if (this.#awaited === "client") return clientGone("it stopped reading");
    const toDo = this.#awaited === "answer" ? "answer" : "continue its answer";
    const message = `Waiting for ${this.#options.label} to ${toDo} took too long. Try again later.`;
    return new ApiError("timeout", message);
  }
}

function clientGone(how = "it closed the connection"): ApiError {
  return new ApiError("client_closed", `The answer could not be sent to the client: ${how}.`);
}
