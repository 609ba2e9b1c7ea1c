/** A disk for a server does more; what it really does is measured with the first file. */
const BYTES_PER_MS = 300_000;
/** Small files tell of the time to open them. */
const SAMPLE_BYTES_MIN = 256 * 1024;
/** Weight of the newest measurement. */
const WEIGHT = 0.5;

/** How fast files are written or read, as measured. */
export class Speed {
  #bytesPerMs = BYTES_PER_MS;

  get bytesPerMs(): number {
    return this.#bytesPerMs;
  }

  measured(bytes: number, ms: number): void {
    if (bytes < SAMPLE_BYTES_MIN || ms <= 0) return;
    this.#bytesPerMs += WEIGHT * (bytes / ms - this.#bytesPerMs);
  }
}
