import type { PullProgress } from "../../wire/pull.ts";
import { progressText } from "./progresstext.ts";

/** Shows the progress of a pull. */
export interface PullDisplay {
  show(now: PullProgress): void;
  /** Called after the last progress; leaves the cursor on a new line. */
  end(): void;
}

/** Time between two lines of `ProgressLines`. */
const LINE_MS = 5000;

/** Prints progress as a line every few seconds, for logs. */
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

/** Prints progress as one JSON object a line. */
export class ProgressEvents implements PullDisplay {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Leaves out the last event: the caller prints it with the outcome. */
  show(now: PullProgress): void {
    if (now.state !== "done" && now.state !== "failed") this.#write(`${JSON.stringify(now)}\n`);
  }

  end(): void {
    return;
  }
}
