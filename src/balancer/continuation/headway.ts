import type { Transcript } from "./transcript.ts";

/** Breaks of one stream that are mended. */
const CONTINUATIONS_MAX = 16;

/** An upstream that brings a stream on by less has hardly worked on it. */
const TOKENS_MIN = 16;

/** So many in a row may break without a word, or hardly bring it on; the next one is the last. */
const WORDLESS_MAX = 1;
const FEEBLE_MAX = 2;

/**
 * Whether a stream that broke goes on once more. A long one may outlive many upstreams, and some of
 * them may fail before they get far, but what kills whoever works on it is not sent to many:
 *
 * 1. not if the last two broke without a word: three broke at the same place;
 * 2. not if the last three brought it on by less than 16 tokens each;
 * 3. not for the 17th time.
 */
export class Headway {
  #count = 0;
  #wordless = 0;
  /** In a row that hardly brought it on. */
  #feeble = 0;
  #chars = -1;
  #tokens = 0;

  mayGoOn(transcript: Transcript): boolean {
    if (this.#count >= CONTINUATIONS_MAX) return false;
    const { isWordless, isFeeble } = this.#look(transcript);
    return (
      !(isWordless && this.#wordless >= WORDLESS_MAX) && !(isFeeble && this.#feeble >= FEEBLE_MAX)
    );
  }

  /** It goes on from here. */
  note(transcript: Transcript): void {
    const { isWordless, isFeeble, tokens } = this.#look(transcript);
    this.#wordless = isWordless ? this.#wordless + 1 : 0;
    this.#feeble = isFeeble ? this.#feeble + 1 : 0;
    this.#count += 1;
    this.#chars = transcript.chars;
    this.#tokens = tokens;
  }

  #look(transcript: Transcript) {
    const tokens = tokensOf(transcript);
    const isFeeble = this.#count > 0 && tokens - this.#tokens < TOKENS_MIN;
    return { tokens, isFeeble, isWordless: transcript.chars === this.#chars };
  }
}

/** The least number of tokens that was said. */
export function tokensOf({ choices }: Pick<Transcript, "choices">): number {
  return [...choices.values()].reduce((sum, { tokensMin }) => sum + tokensMin, 0);
}
