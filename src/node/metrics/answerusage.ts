import { joined } from "../../http/client/body.ts";
import { asBuffer } from "../../lib/buffer.ts";

/** The tokens of a request and its answer, as the engine counted them. */
export interface EngineUsage {
  /** Of the prompt, cached ones included. */
  input: number;
  output: number;
  /** Of the prompt, those that need not be computed. */
  cached: number;
}

/** Usage stands at the end of answers, and before the vectors of embeddings. */
const HEAD_BYTES = 1024;
const TAIL_BYTES = 4096;

/**
 * Reads the usage of an engine's answer as it passes: from OpenAI's `usage`, which streams have
 * only if asked, else from `timings`, which llama.cpp sends with the end of each generation. Keeps
 * only the beginning and the end. Quotes inside texts are escaped, so no text can pass for a count.
 */
export class UsageReader {
  #first: Uint8Array | undefined;
  /** The last pieces: no more than are needed for the end. */
  readonly #last: Uint8Array[] = [];
  #lastBytes = 0;

  push(bytes: Uint8Array): void {
    this.#first ??= bytes;
    this.#last.push(bytes);
    this.#lastBytes += bytes.byteLength;
    for (;;) {
      const behind = this.#lastBytes - (this.#last[0]?.byteLength ?? 0);
      if (behind < TAIL_BYTES) return;
      this.#last.shift();
      this.#lastBytes = behind;
    }
  }

  /** Undefined if the answer tells nothing. */
  usage(): EngineUsage | undefined {
    const last = asBuffer(joined(this.#last, this.#lastBytes));
    const tail = last.toString("latin1", Math.max(0, last.length - TAIL_BYTES));
    return usageIn(tail) ?? timingsIn(tail) ?? usageIn(this.#head());
  }

  #head(): string {
    return this.#first === undefined ? "" : asBuffer(this.#first).toString("latin1", 0, HEAD_BYTES);
  }
}

function usageIn(text: string): EngineUsage | undefined {
  const at = text.lastIndexOf('"usage":{');
  const part = at < 0 ? "" : text.slice(at);
  const input = numberOf(part, PROMPT_TOKENS);
  if (input === undefined) return undefined;
  const output = numberOf(part, COMPLETION_TOKENS) ?? 0;
  return { input, output, cached: numberOf(part, CACHED_TOKENS) ?? 0 };
}

function timingsIn(text: string): EngineUsage | undefined {
  const at = text.lastIndexOf('"timings":{');
  const part = at < 0 ? "" : text.slice(at);
  const computed = numberOf(part, PROMPT_N);
  if (computed === undefined) return undefined;
  const cached = numberOf(part, CACHE_N) ?? 0;
  return { input: computed + cached, output: numberOf(part, PREDICTED_N) ?? 0, cached };
}

const [PROMPT_TOKENS, COMPLETION_TOKENS, CACHED_TOKENS] = [
  fieldOf("prompt_tokens"),
  fieldOf("completion_tokens"),
  fieldOf("cached_tokens"),
];
const [PROMPT_N, CACHE_N, PREDICTED_N] = [
  fieldOf("prompt_n"),
  fieldOf("cache_n"),
  fieldOf("predicted_n"),
];

function fieldOf(name: string): RegExp {
  return new RegExp(`"${name}":(\\d{1,12})\\b`);
}

function numberOf(text: string, field: RegExp): number | undefined {
  const digits = field.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
