import { RETRIES_MAX } from "../inference/retry.ts";
import type { Transcript } from "./transcript.ts";

/** Breaks of one stream that are mended. */
const CONTINUATIONS_MAX = 16;

/** An upstream that brings a stream on by less has hardly worked on it. */
const TOKENS_MIN = 16;

/**
 * Whether a stream that broke goes on once more. A long one may outlive many upstreams, but what
 * kills whoever works on it is not sent to many:
 *
 * 1. not if the last one broke without a word: it broke where the one before had broken;
 * 2. not if the last `RETRIES_MAX` brought it on by less than 16 tokens each;
 * 3. not for the 17th time.
 */
export class Headway {
  #count = 0;
  /** In a row that hardly brought it on. */
  #feeble = 0;
  #chars = -1;
  #tokens = 0;

  mayGoOn({ chars, choices }: Transcript): boolean {
    if (chars === this.#chars || this.#count >= CONTINUATIONS_MAX) return false;
    const isFeeble = this.#count > 0 && tokensOf(choices) - this.#tokens < TOKENS_MIN;
    return !isFeeble || this.#feeble + 1 < RETRIES_MAX;
  }

  /** It goes on from here. */
  note({ chars, choices }: Transcript): void {
    const tokens = tokensOf(choices);
    const isFeeble = this.#count > 0 && tokens - this.#tokens < TOKENS_MIN;
    this.#feeble = isFeeble ? this.#feeble + 1 : 0;
    this.#count += 1;
    this.#chars = chars;
    this.#tokens = tokens;
  }
}

function tokensOf(choices: Transcript["choices"]): number {
  return [...choices.values()].reduce((sum, { tokensMin }) => sum + tokensMin, 0);
}
