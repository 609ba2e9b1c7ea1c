import { formatBytes, formatDuration } from "../../config/units.ts";
import type { PullProgress } from "../../wire/pull.ts";
import { printable } from "./output.ts";

/** Shows how far a pull is. */
export interface PullDisplay {
  show(now: PullProgress): void;
  /** Nothing more comes; what is on the screen is left in order. */
  end(): void;
}

/** Between two lines where nobody watches. */
const LINE_MS = 5000;

/** Progress as a line every few seconds, for logs. */
export class ProgressLines implements PullDisplay {
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  #lastMs: number | undefined;
  #lastText = "";

  constructor(write: (text: string) => void, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  show(now: PullProgress): void {
    const atMs = this.#nowMs();
    this.#lastMs ??= atMs;
    if (now.state === "failed" || atMs - this.#lastMs < LINE_MS) return;
    this.#lastMs = atMs;
    const text = progressText(now);
    if (text !== this.#lastText) this.#write(`${text}\n`);
    this.#lastText = text;
  }

  end(): void {
    return;
  }
}

/** Progress as one JSON object a line. */
export class ProgressEvents implements PullDisplay {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** The last event is written by whoever knows how it ended. */
  show(now: PullProgress): void {
    if (now.state !== "done" && now.state !== "failed") this.#write(`${JSON.stringify(now)}\n`);
  }

  end(): void {
    return;
  }
}

/** E.g. `hf/org/name: 1.2 GiB of 4.7 GiB (25 %), 85 MiB/s, 41 s left`. */
export function progressText(now: PullProgress): string {
  const { model, state, bytes, total_bytes: total, rate_bytes_per_s: rate, eta_s: eta } = now;
  const percent = total === 0 ? 100 : Math.floor((bytes / total) * 100);
  const facts = [`${formatBytes(bytes)} of ${formatBytes(total)} (${percent} %)`];
  if (state === "waiting" || state === "verifying") {
    facts.push(state === "waiting" ? "waiting" : "checking");
  }
  if (state === "downloading" && rate > 0) facts.push(`${formatBytes(rate)}/s`);
  if (state === "downloading" && eta !== null) facts.push(`${formatDuration(eta * 1000)} left`);
  return printable(`${model}: ${facts.join(", ")}`);
}

/** How much of a model is there, e.g. `1.2 GiB of 4.7 GiB`. */
export function amountText({ bytes, total_bytes: total }: PullProgress): string {
  return `${formatBytes(bytes)} of ${formatBytes(total)}`;
}
