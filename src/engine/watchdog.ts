/** How often an engine tells that it lives, and how often its node looks whether it did. */
export const BEAT_MS = 1000;

/** How long the decoding loop may owe an answer. It gives one even while it decodes. */
const STALLED_MS_MAX = 10_000;

/** Looks without a beat. A machine that swaps can take seconds for one. */
const SILENT_LOOKS_MAX = 20;

/**
 * Decides whether an engine is stuck: it counts looks and not time, so that an engine is not blamed
 * when its node itself, or the whole machine, was stopped for a while.
 *
 * | condition                                                | verdict |
 * |----------------------------------------------------------|---------|
 * | two beats in a row tell of a loop that owes its answer   | stalled |
 * | no beat came in the last 20 looks                        | silent  |
 */
export class Watchdog {
  #stalledBeats = 0;
  #silentLooks = 0;

  /** The engine lives; its decoding loop has owed an answer for `stalledMs`. */
  beat(stalledMs: number): void {
    this.#silentLooks = 0;
    this.#stalledBeats = stalledMs > STALLED_MS_MAX ? this.#stalledBeats + 1 : 0;
  }

  /** To be called every `BEAT_MS`: why the engine is stuck, for people; undefined if it is not. */
  look(): string | undefined {
    this.#silentLooks += 1;
    if (this.#stalledBeats >= 2) {
      const s = STALLED_MS_MAX / 1000;
      return `its decoding loop was stuck for over ${s} s, so it was ended.`;
    }
    if (this.#silentLooks <= SILENT_LOOKS_MAX) return undefined;
    return `it gave no sign of life for ${SILENT_LOOKS_MAX} s, so it was ended.`;
  }
}
