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
  #head: Buffer | undefined;
  readonly #tail = Buffer.allocUnsafe(TAIL_BYTES);
  #length = 0;

  push(bytes: Uint8Array): void {
    this.#head ??= Buffer.from(bytes.subarray(0, HEAD_BYTES));
    const piece = bytes.byteLength > TAIL_BYTES ? bytes.subarray(-TAIL_BYTES) : bytes;
    const beyond = this.#length + piece.byteLength - TAIL_BYTES;
    if (beyond > 0) {
      this.#tail.copyWithin(0, beyond, this.#length);
      this.#length -= beyond;
    }
    this.#tail.set(piece, this.#length);
    this.#length += piece.byteLength;
  }

  /** Undefined if the answer tells nothing. */
  usage(): EngineUsage | undefined {
    const tail = this.#tail.toString("latin1", 0, this.#length);
    return usageIn(tail) ?? timingsIn(tail) ?? usageIn(this.#head?.toString("latin1") ?? "");
  }
}

function usageIn(text: string): EngineUsage | undefined {
  const at = text.lastIndexOf('"usage":{');
  const part = at < 0 ? "" : text.slice(at);
  const input = numberOf(part, "prompt_tokens");
  if (input === undefined) return undefined;
  const output = numberOf(part, "completion_tokens") ?? 0;
  return { input, output, cached: numberOf(part, "cached_tokens") ?? 0 };
}

function timingsIn(text: string): EngineUsage | undefined {
  const at = text.lastIndexOf('"timings":{');
  const part = at < 0 ? "" : text.slice(at);
  const computed = numberOf(part, "prompt_n");
  if (computed === undefined) return undefined;
  const cached = numberOf(part, "cache_n") ?? 0;
  return { input: computed + cached, output: numberOf(part, "predicted_n") ?? 0, cached };
}

function numberOf(text: string, name: string): number | undefined {
  const [, digits] = new RegExp(`"${name}":(\\d{1,12})\\b`).exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
