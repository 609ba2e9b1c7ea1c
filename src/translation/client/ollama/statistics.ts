import { z } from "zod";
import type { ChatUsage } from "../../../wire/chat.ts";

/** Returns milliseconds since some fixed moment. */
export type MillisecondClock = () => number;

/** Times as llama.cpp measures them, in chat completions as in text completions. */
const Timings = z.looseObject({
  prompt_ms: z.number().nonnegative(),
  predicted_ms: z.number().nonnegative(),
});
const TimedAnswer = z.looseObject({ timings: Timings });

/** Token counts, and durations in nanoseconds, as Ollama reports them; 0 where unknown. */
interface OllamaStatistics {
  total_duration: number;
  load_duration: number;
  prompt_eval_count: number;
  prompt_eval_duration: number;
  eval_count: number;
  eval_duration: number;
}

/**
 * The statistics of one request. The upstream's own times go first. For a stream without them the
 * time until the first piece is the prompt's, and the time from there to the last piece the
 * answer's.
 */
export class RequestStatistics {
  readonly #clock: MillisecondClock;
  readonly #startMs: number;
  #firstPieceMs: number | undefined;
  #lastPieceMs = 0;
  #usage: ChatUsage | undefined;
  #timings: z.infer<typeof Timings> | undefined;

  constructor(clock: MillisecondClock = () => performance.now()) {
    this.#clock = clock;
    this.#startMs = clock();
  }

  /** Notes that a piece of a stream has come. */
  notePiece(): void {
    this.#lastPieceMs = this.#clock();
    this.#firstPieceMs ??= this.#lastPieceMs;
  }

  /** Notes the token counts and the times in an answer, or in an event of one. */
  noteUsage(usage: ChatUsage | null | undefined, json: unknown): void {
    if (usage) this.#usage = usage;
    this.#timings = TimedAnswer.safeParse(json).data?.timings ?? this.#timings;
  }

  /** The statistics until now, for the end of the answer. */
  summary(): OllamaStatistics {
    const totalMs = this.#clock() - this.#startMs;
    const firstMs = this.#firstPieceMs;
    const promptMs = firstMs === undefined ? 0 : firstMs - this.#startMs;
    const answerMs = firstMs === undefined ? 0 : this.#lastPieceMs - firstMs;
    return {
      total_duration: nanoseconds(totalMs),
      load_duration: 0,
      prompt_eval_count: this.#usage?.prompt_tokens ?? 0,
      prompt_eval_duration: nanoseconds(this.#timings?.prompt_ms ?? promptMs),
      eval_count: this.#usage?.completion_tokens ?? 0,
      eval_duration: nanoseconds(this.#timings?.predicted_ms ?? answerMs),
    };
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
