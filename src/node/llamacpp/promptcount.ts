import { z } from "zod";
import { parseObject } from "../../lib/json.ts";
import type { StreamTranslation } from "../../translation/translation.ts";
import type { ServerEvent } from "../../wire/sse.ts";

/** An event that llama.cpp sends while it reads a prompt, if the request has `return_progress`. */
const Progress = z.looseObject({
  prompt_progress: z.looseObject({ total: z.number(), cache: z.number() }),
});

/**
 * Adds the prompt's size to the first event of an answer: Anthropic's messages begin with it, while
 * chat completions end with it. Takes the size from progress events, and drops those.
 */
export class PromptCount implements StreamTranslation {
  readonly #inner: StreamTranslation;
  #usage: object | undefined;
  #hasBegun = false;

  constructor(inner: StreamTranslation) {
    this.#inner = inner;
  }

  push(event: ServerEvent): string {
    if (this.#hasBegun) return this.#inner.push(event);
    const json = eventObject(event);
    const progress = Progress.safeParse(json).data?.prompt_progress;
    if (progress !== undefined) {
      this.#usage = {
        prompt_tokens: progress.total,
        prompt_tokens_details: { cached_tokens: progress.cache },
      };
      return "";
    }
    this.#hasBegun = true;
    if (json === undefined || this.#usage === undefined) return this.#inner.push(event);
    return this.#inner.push({ ...event, data: JSON.stringify({ usage: this.#usage, ...json }) });
  }

  end(): string {
    return this.#inner.end();
  }
}

/** The JSON object in an event's data; undefined for `[DONE]` and for what is no JSON object. */
export function eventObject({ data }: ServerEvent): object | undefined {
  return data.startsWith("{") ? parseObject(data) : undefined;
}
