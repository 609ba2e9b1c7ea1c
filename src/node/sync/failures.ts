import { backoffMs } from "../../lib/backoff.ts";
import type { ApiError } from "../../wire/error.ts";
import type { PullRetry } from "./plan.ts";

/** Why the last pull of an assigned model failed. */
interface PullFailure {
  error: ApiError;
  /** Pulls that failed in a row. */
  count: number;
  retry: PullRetry;
}

const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** Only a person can remove these causes. They are retried too, as nobody reports the change. */
const LASTING_RETRY_MS = 600_000;
const LASTING = new Set([
  ...["pull_unauthorized", "pull_not_found", "pull_origin_not_allowed", "pull_no_artifact"],
  ...["pull_too_large", "pull_conflict", "pull_mismatch", "invalid_model_id", "gated_model"],
]);

/** The assigned models whose last pull failed, with the time of the next try. */
export class PullFailures {
  readonly #failures = new Map<string, PullFailure>();

  /** Notes that the pull of a model's revision failed; `nowMs` is `performance.now()`. */
  add(model: { id: string; revision: string | null }, error: ApiError, nowMs: number): void {
    const { id, revision } = model;
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const waitMs = LASTING.has(error.code) ? LASTING_RETRY_MS : backoffMs(count - 1, RETRY);
    this.#failures.set(id, { error, count, retry: { revision, nextMs: nowMs + waitMs } });
  }

  delete(id: string): void {
    this.#failures.delete(id);
  }

  /** Forgets the models whose ids are not among these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }

  /** Ends all back-offs. */
  retryNow(): void {
    for (const { retry } of this.#failures.values()) retry.nextMs = 0;
  }

  /** Why the last pull of a model failed; undefined if it did not. */
  errorOf(id: string): ApiError | undefined {
    return this.#failures.get(id)?.error;
  }

  /** By id. */
  errors(): Map<string, ApiError> {
    return new Map([...this.#failures].map(([id, { error }]) => [id, error]));
  }

  /** By id. */
  retries(): Map<string, PullRetry> {
    return new Map([...this.#failures].map(([id, { retry }]) => [id, retry]));
  }

  /** The time of the first retry; `Infinity` if there is none. */
  get nextRetryMs(): number {
    return Math.min(...[...this.#failures.values()].map(({ retry }) => retry.nextMs));
  }
}
