import { z } from "zod";
import type { StreamTranslation } from "../../translation/translation.ts";
import type { ServerEvent } from "../../wire/sse.ts";

/** What llama.cpp says while it reads a prompt, if `return_progress` was asked for. */
const Progress = z.looseObject({
  prompt_progress: z.looseObject({ total: z.number(), cache: z.number() }),
});

/**
 * Tells the prompt's size with the first event of an answer: messages begin with it, while chat
 * completions tell it at their end. Progress itself is not passed on: an answer begins with its
 * first token.
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
    const json = eventJson(event);
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

/** The object that an event's data is; undefined for `[DONE]` and what is no JSON. */
export function eventJson({ data }: ServerEvent): object | undefined {
  if (!data.startsWith("{")) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // whoever reads the event says what is wrong with it
  }
}
