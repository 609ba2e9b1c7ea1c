import { sleep } from "../../lib/sleep.ts";
import type { PullProgress, PullState } from "../../wire/pull.ts";

interface FileProgress {
  name: string;
  state: PullState;
  bytes: number;
  totalBytes: number | null;
}

const WINDOW_MS = 5000;
const SAMPLE_MS = 250;
const WATCH_MS = 250;

/** The progress of a model's pull. */
export class Progress {
  readonly #model: string;
  readonly #nowMs: () => number;
  readonly #files = new Map<string, FileProgress>();
  #file: string | null = null;
  #state: PullState = "waiting";
  #error: string | null = null;
  /** Bytes received over the network, in total, at times of the last seconds. */
  #samples: { atMs: number; bytes: number }[] = [];
  #received = 0;
  readonly #ended = Promise.withResolvers<void>();

  constructor(model: string, nowMs: () => number = () => performance.now()) {
    this.#model = model;
    this.#nowMs = nowMs;
  }

  expect(name: string, totalBytes: number | null): void {
    this.#files.set(name, { name, state: "waiting", bytes: 0, totalBytes });
  }

  /** Sets the state of a file and how many of its bytes exist. */
  file(name: string, state: PullState, bytes: number, totalBytes?: number): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    file.state = state;
    file.bytes = bytes;
    file.totalBytes = totalBytes ?? file.totalBytes;
    if (state === "downloading" || state === "verifying") {
      this.#file = name;
      this.#state = "downloading";
    }
  }

  /** Adds bytes of a file that were received over the network. */
  received(name: string, bytes: number): void {
    const file = this.#files.get(name);
    if (file !== undefined) file.bytes += bytes;
    const atMs = this.#nowMs();
    this.#received += bytes;
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_MS) return;
    this.#samples.push({ atMs, bytes: this.#received });
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Ends the progress; `error` is the reason if the pull failed. */
  end(error: string | null): void {
    this.#state = error === null ? "done" : "failed";
    this.#error = error;
    this.#ended.resolve();
  }

  snapshot(): PullProgress {
    const files = [...this.#files.values()];
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const total = files.reduce((sum, file) => sum + (file.totalBytes ?? file.bytes), 0);
    const rate = this.#state === "downloading" ? this.#rate() : 0;
    const left = this.#state === "done" ? 0 : total - bytes;
    return {
      model: this.#model,
      state: this.#summary(files),
      file: this.#file,
      bytes,
      total_bytes: total,
      rate_bytes_per_s: Math.round(rate),
      eta_s: left === 0 ? 0 : rate > 0 ? Math.ceil(left / rate) : null,
      files: files.map(({ name, state, bytes: there, totalBytes }) => {
        return { name, state, bytes: there, total_bytes: totalBytes };
      }),
      error: this.#error,
    };
  }

  /** Yields a snapshot four times a second, and one at the end. */
  async *watch(signal: AbortSignal): AsyncGenerator<PullProgress> {
    for (;;) {
      const now = this.snapshot();
      yield now;
      if (now.state === "done" || now.state === "failed") return;
      const next = new AbortController();
      await Promise.race([
        this.#ended.promise,
        sleep(WATCH_MS, AbortSignal.any([signal, next.signal])),
      ]).finally(() => next.abort());
    }
  }

  #summary(files: FileProgress[]): PullState {
    if (this.#state !== "downloading") return this.#state;
    const open = files.filter(({ state }) => state !== "done" && state !== "failed");
    return open.length > 0 && open.every(({ state }) => state === "verifying")
      ? "verifying"
      : this.#state;
  }

  #rate(): number {
    const first = this.#samples[0];
    const elapsedMs = first === undefined ? 0 : this.#nowMs() - first.atMs;
    if (first === undefined || elapsedMs <= 0) return 0;
    return ((this.#received - first.bytes) * 1000) / elapsedMs;
  }
}
