import { sleep } from "../../lib/sleep.ts";
import { localName } from "../../model/filename.ts";
import { HUB_PREFIX } from "../../model/name.ts";
import { isSameQuantization } from "../../model/quantization.ts";
import type { FileOwner } from "../../storage/modelrecord.ts";
import type { Progress } from "../../storage/pull/progress.ts";
import { ApiError } from "../../wire/error.ts";
import type { Artifact } from "../../wire/manifest.ts";
import type { PullProgress } from "../../wire/pull.ts";
import type { NodeModelError, PullView } from "../../wire/sync.ts";
import type { PullJobTarget } from "./modelsource.ts";

const WATCH_INTERVAL_MS = 250;

/** The pull of one model, from the request for its manifest to its end. */
export class PullJob {
  readonly id = crypto.randomUUID();
  readonly placedBy: FileOwner;
  readonly startedAt = Date.now();
  readonly target: PullJobTarget;
  /** The model's id: that of the manifest once this is known. */
  model: string;
  /** The revision that is pulled; null until it is known. */
  revision: string | null = null;
  /** The quantization that is pulled; null until it is known, or if the model has none. */
  quantization: string | null = null;
  /** Why the pull failed; undefined while it runs and after a success. */
  failure: ApiError | undefined;
  readonly #abort = new AbortController();
  readonly #filesKnown = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  #state: "running" | "done" | "failed" = "running";
  #files: Artifact[] = [];
  #progress: Progress | undefined;
  #leaseHolder: string | undefined;

  constructor(target: PullJobTarget, placedBy: FileOwner) {
    this.target = target;
    this.model = target.id;
    this.placedBy = placedBy;
  }

  /** Whether it pulls what another request refers to as well. */
  pulls({ id, quantization, place }: PullJobTarget): boolean {
    const own = this.target;
    if (id.toLowerCase() !== own.id.toLowerCase() || place !== own.place) return false;
    if (isSameQuantization(quantization, own.quantization)) return true;
    return quantization !== undefined && isSameQuantization(quantization, this.quantization);
  }

  /** Whether it pulls a model, or the one quantization of it. */
  isOf(id: string, quantization: string | undefined): boolean {
    const ids = [this.target.id, this.model].map((one) => one.toLowerCase());
    if (![id, HUB_PREFIX + id].some((one) => ids.includes(one.toLowerCase()))) return false;
    const own = this.quantization ?? this.target.quantization;
    return quantization === undefined || isSameQuantization(quantization, own);
  }

  /** Aborted when the pull shall end, and at its end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Makes the pull end and fail with `reason`. Does nothing if it has ended. */
  abort(reason: ApiError): void {
    this.#abort.abort(reason);
  }

  /** Resolves when it is known which files are pulled, or the pull has ended. Never rejects. */
  get filesKnown(): Promise<void> {
    return this.#filesKnown.promise;
  }

  /** Resolves when the pull has ended, with success or failure. Never rejects. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Sets which files will be pulled. */
  setFiles(files: Artifact[]): void {
    this.#files = files;
    this.#filesKnown.resolve();
  }

  /** Sets which node has the download lease, so that this pull waits for it. */
  setLeaseHolder(node: string): void {
    this.#leaseHolder = node;
  }

  /** The node whose download this pull waits for; undefined if it does not wait. */
  get leaseHolder(): string | undefined {
    return this.#progress === undefined ? this.#leaseHolder : undefined;
  }

  /** Sets the progress of the transfer, which has begun. */
  setProgress(progress: Progress): void {
    this.#progress = progress;
  }

  /** Ends the pull: with a failure if there is an error, else with success. */
  end(error?: unknown): void {
    if (error !== undefined) this.failure = asApiError(error, this.model);
    this.#state = error === undefined ? "done" : "failed";
    this.#filesKnown.resolve();
    this.#finished.resolve();
  }

  get error(): NodeModelError | null {
    const { failure } = this;
    return failure === undefined ? null : { code: failure.code, message: failure.message };
  }

  /** How far the pull is now. */
  snapshot(): PullProgress {
    const transfer = this.#progress?.snapshot();
    const error = this.failure?.message ?? null;
    const state = this.#state === "running" ? undefined : this.#state;
    if (transfer !== undefined) {
      // The transfer is complete a moment before the model is served.
      const isOver = transfer.state === "done" || transfer.state === "failed";
      const running = isOver ? "verifying" : transfer.state;
      return { ...transfer, state: state ?? running, error };
    }
    const total = this.#files.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0);
    return {
      ...{ model: this.model, state: state ?? "waiting", file: null, bytes: 0 },
      ...{ total_bytes: total, rate_bytes_per_s: 0, eta_s: null, error },
      files: this.#files.map(({ filename, size_bytes: size }) => ({
        ...{ name: localName(filename), state: "waiting", bytes: 0, total_bytes: size },
      })),
    };
  }

  /** Yields the progress now, every 250 ms, and at the end. Throws the reason of `signal`. */
  async *watch(signal: AbortSignal): AsyncGenerator<PullProgress> {
    for (;;) {
      const isLast = !this.isRunning;
      yield this.snapshot();
      if (isLast) return;
      const next = new AbortController();
      const either = AbortSignal.any([signal, next.signal]);
      const pause = sleep(WATCH_INTERVAL_MS, either);
      await Promise.race([this.finished, pause]).finally(() => next.abort());
    }
  }

  view(): PullView {
    return {
      ...{ id: this.id, model: this.model, placed_by: this.placedBy },
      started_at: new Date(this.startedAt).toISOString(),
      ...{ progress: this.snapshot(), error: this.error },
    };
  }
}

function asApiError(error: unknown, model: string): ApiError {
  if (error instanceof ApiError) return error;
  const message = `Pulling ${model} failed: an unexpected error happened. The node's log tells \
more.`;
  return new ApiError("internal", message, { code: "download_failed", cause: error });
}
