/** How a line of llama.cpp is written to the log. */
export type Severity = "error" | "warn" | "debug";

/**
 * Warnings that ask nothing of anybody: they come with every start, with every cancellation, or
 * with every prompt that is cached as a whole.
 */
const HARMLESS = [
  /default pooling_type is/,
  /possible training context overflow/,
  /exceeds the training context of the model/,
  /cancel task, id_task/,
  /need to evaluate at least 1 token/,
  /n_past was set to/,
];

/** An error that is the request's: its client is told. */
const TOLD = /send_error: .*exceeds the available context size/;

/** The severity of a line that llama.cpp logs with one of ggml's levels: 3 warning, 4 error. */
export function severityOf(level: number, text: string): Severity {
  if (level >= 4) return TOLD.test(text) ? "debug" : "error";
  if (level < 3 || HARMLESS.some((pattern) => pattern.test(text))) return "debug";
  return "warn";
}
