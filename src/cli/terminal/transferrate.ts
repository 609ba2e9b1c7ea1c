/** Only samples of this long ago count. */
const WINDOW_MS = 5000;
/** Least time between two samples. */
const SAMPLE_MS = 250;

/** The speed of a download, from the last seconds of it. */
export class TransferRate {
  #samples: { bytes: number; atMs: number }[] = [];

  /** Records how many bytes were there at a time. */
  at(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    // The download started again.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    else if (last !== undefined && atMs - last.atMs < SAMPLE_MS) return;
    this.#samples.push({ bytes, atMs });
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Bytes per second; 0 while unknown. */
  perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }
}
