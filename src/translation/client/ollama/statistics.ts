import { z } from "zod";
import type { ChatUsage } from "../../../wire/chat.ts";

/** Tells the time in milliseconds, from whatever beginning. */
export type MillisecondClock = () => number;

/** llama.cpp's own measurements, in chat completions as in text completions. */
const Timings = z.looseObject({
  prompt_ms: z.number().nonnegative(),
  predicted_ms: z.number().nonnegative(),
});
const Timed = z.looseObject({ timings: Timings });

/** What Ollama's clients are told of time and tokens; times in nanoseconds, 0 where unknown. */
export interface OllamaStatistics {
  total_duration: number;
  load_duration: number;
  prompt_eval_count: number;
  prompt_eval_duration: number;
  eval_count: number;
  eval_duration: number;
}

/**
 * Measures one request. What the endpoint measured itself counts; of streams that say nothing, the
 * time to the first piece is the prompt's and the time from there to the last one the answer's.
 */
export class RequestStatistics {
  readonly #clock: MillisecondClock;
  readonly #startMs: number;
  #firstMs: number | undefined;
  #lastMs = 0;
  #usage: ChatUsage | undefined;
  #told: z.infer<typeof Timings> | undefined;

  constructor(clock: MillisecondClock = () => performance.now()) {
    this.#clock = clock;
    this.#startMs = clock();
  }

  /** A piece of a stream has come. */
  notePiece(): void {
    this.#lastMs = this.#clock();
    this.#firstMs ??= this.#lastMs;
  }

  /** Takes note of what an answer, or an event of one, tells of tokens and times. */
  noteUsage(usage: ChatUsage | null | undefined, json: unknown): void {
    if (usage) this.#usage = usage;
    this.#told = Timed.safeParse(json).data?.timings ?? this.#told;
  }

  statistics(): OllamaStatistics {
    const totalMs = this.#clock() - this.#startMs;
    const firstMs = this.#firstMs;
    const promptMs = firstMs === undefined ? 0 : firstMs - this.#startMs;
    const answerMs = firstMs === undefined ? 0 : this.#lastMs - firstMs;
    return {
      total_duration: nanoseconds(totalMs),
      load_duration: 0,
      prompt_eval_count: this.#usage?.prompt_tokens ?? 0,
      prompt_eval_duration: nanoseconds(this.#told?.prompt_ms ?? promptMs),
      eval_count: this.#usage?.completion_tokens ?? 0,
      eval_duration: nanoseconds(this.#told?.predicted_ms ?? answerMs),
    };
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
