/** Weight of a new sample. */
const ALPHA = 0.2;

/**
 * The exponential moving average after a sample, in the samples' unit:
 *
 * 1. No average yet, or one that is not finite: the sample.
 * 2. Otherwise 0.2 × sample + 0.8 × average.
 */
export function nextEma(average: number | null | undefined, sample: number): number {
  if (average === null || average === undefined || !Number.isFinite(average)) return sample;
  return ALPHA * sample + (1 - ALPHA) * average;
}

/** How soon an endpoint answers: the moving average of its times to the first byte. */
export class Latency {
  /** Infinity as long as nothing is measured. */
  emaMs = Number.POSITIVE_INFINITY;
  /** When the last sample came; -Infinity as long as there is none. */
  sampledAtMs = Number.NEGATIVE_INFINITY;

  /** The average as it is stored: null for unmeasured, since no database has an infinity. */
  get stored(): number | null {
    return Number.isFinite(this.emaMs) ? this.emaMs : null;
  }

  /** Takes note of a successful request; a sample that is no time at all is left out. */
  record(sampleMs: number, nowMs: number): void {
    if (!Number.isFinite(sampleMs) || sampleMs < 0) return;
    this.emaMs = nextEma(this.emaMs, sampleMs);
    this.sampledAtMs = nowMs;
  }

  /** Goes on with a stored average, measured at `sampledAtMs`. */
  restore(storedMs: number | null, sampledAtMs: number): void {
    this.reset();
    if (storedMs === null || !Number.isFinite(storedMs)) return;
    this.emaMs = storedMs;
    this.sampledAtMs = sampledAtMs;
  }

  /** Forgets everything: the endpoint went offline and may come back as another machine. */
  reset(): void {
    this.emaMs = Number.POSITIVE_INFINITY;
    this.sampledAtMs = Number.NEGATIVE_INFINITY;
  }
}
