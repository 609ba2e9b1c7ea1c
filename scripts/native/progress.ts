/** Elsewhere than on a terminal, quick steps are not worth a line each. */
const LINE_INTERVAL_MS = 2000;

/** Shows how far a long step is: one updating line on a terminal, else a line each 10 %. */
export class Progress {
  readonly #label: string;
  readonly #startMs = performance.now();
  readonly #onTerminal = process.stderr.isTTY === true;
  #shown = -1;
  #lineAtMs = performance.now();

  constructor(label: string) {
    this.#label = label;
    if (!this.#onTerminal) this.#line(label);
  }

  /** `fraction` from 0 to 1; `detail` follows the percentage, e.g. `12 of 35 MB`. */
  update(fraction: number, detail = ""): void {
    const percent = Math.floor(Math.min(1, Math.max(0, fraction)) * 100);
    const step = this.#onTerminal ? percent : Math.floor(percent / 10) * 10;
    if (step <= this.#shown) return;
    if (!this.#onTerminal && performance.now() - this.#lineAtMs < LINE_INTERVAL_MS) return;
    this.#shown = step;
    this.#lineAtMs = performance.now();
    const text = `${this.#label}: ${step} %${detail === "" ? "" : ` (${detail})`}`;
    if (this.#onTerminal) process.stderr.write(`\r\x1b[Kllmlb: ${text}`);
    else if (step > 0 && step < 100) this.#line(text);
  }

  /** Ends the line with the time it took. */
  done(): void {
    if (this.#onTerminal) process.stderr.write("\r\x1b[K");
    const seconds = (performance.now() - this.#startMs) / 1000;
    this.#line(`${this.#label}: done in ${seconds.toFixed(1)} s`);
  }

  /** Leaves the line as it is, before an error is shown. */
  fail(): void {
    if (this.#onTerminal) process.stderr.write("\n");
  }

  #line(text: string): void {
    process.stderr.write(`llmlb: ${text}\n`);
  }
}

/** Bytes for people, in decimal megabytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
