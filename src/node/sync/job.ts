import { sleep } from "../../lib/sleep.ts";
import { localName } from "../../model/filename.ts";
import type { Progress } from "../../storage/pull/progress.ts";
import type { PlacedBy } from "../../storage/record.ts";
import { ApiError } from "../../wire/error.ts";
import type { Artifact } from "../../wire/manifest.ts";
import type { PullProgress } from "../../wire/pull.ts";
import type { HeldError, PullView } from "../../wire/sync.ts";

const WATCH_MS = 250;

/** The pull of one model, from the question for its manifest to its end. */
export class PullJob {
  readonly id = crypto.randomUUID();
  readonly placedBy: PlacedBy;
  readonly startedAt = Date.now();
  readonly stop = new AbortController();
  /** As it was asked for, then its id. */
  model: string;
  /** The revision that is fetched, once that is known. */
  revision: string | null = null;
  /** The one that is fetched, once that is known and if the model has any. */
  quantization: string | null = null;
  /** Why it failed. */
  failure: ApiError | undefined;
  readonly #known = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #state: "running" | "done" | "failed" = "running";
  #files: Artifact[] = [];
  #progress: Progress | undefined;
  #holder: string | undefined;

  constructor(model: string, placedBy: PlacedBy) {
    this.model = model;
    this.placedBy = placedBy;
  }

  /** Settles when it is known which files are fetched, or that none can be. Never rejects. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** Settles when it has ended, however. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** These files are going to be fetched. */
  expect(files: Artifact[]): void {
    this.#files = files;
    this.#known.resolve();
  }

  /** Another node fetches them first. */
  waitFor(holder: string): void {
    this.#holder = holder;
  }

  /** Which node is waited for. */
  get holder(): string | undefined {
    return this.#progress === undefined ? this.#holder : undefined;
  }

  /** They are being fetched. */
  attach(progress: Progress): void {
    this.#progress = progress;
  }

  end(error?: unknown): void {
    if (error !== undefined) this.failure = asApiError(error, this.model);
    this.#state = error === undefined ? "done" : "failed";
    this.#known.resolve();
    this.#ended.resolve();
  }

  get error(): HeldError | null {
    const { failure } = this;
    return failure === undefined ? null : { code: failure.code, message: failure.message };
  }

  snapshot(): PullProgress {
    const told = this.#progress?.snapshot();
    const error = this.failure?.message ?? null;
    const state = this.#state === "running" ? undefined : this.#state;
    if (told !== undefined) {
      // Files are whole a moment before the model is served.
      const isEarly = state === undefined && (told.state === "done" || told.state === "failed");
      return { ...told, state: isEarly ? "verifying" : (state ?? told.state), error };
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

  /** What is told while it goes on, a few times a second, and at its end. */
  async *watch(signal: AbortSignal): AsyncGenerator<PullProgress> {
    for (;;) {
      const now = this.snapshot();
      yield now;
      if (!this.isRunning) return;
      const next = new AbortController();
      const either = AbortSignal.any([signal, next.signal]);
      await Promise.race([this.ended, sleep(WATCH_MS, either)]).finally(() => next.abort());
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
