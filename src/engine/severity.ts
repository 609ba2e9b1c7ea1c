/** At which level of our log a line of llama.cpp is written. */
export type Severity = "error" | "warn" | "debug";

/**
 * Warnings that need no action: llama.cpp logs them at every start, at every cancellation, or for
 * every prompt that is in its cache as a whole.
 */
const HARMLESS = [
  /default pooling_type is/,
  /possible training context overflow/,
  /exceeds the training context of the model/,
  /cancel task, id_task/,
  /need to evaluate at least 1 token/,
  /n_past was set to/,
];

/** An error of the request. Its client gets it as the answer. */
const CLIENT_ERROR = /send_error: .*exceeds the available context size/;

/** The severity of a line that llama.cpp logs; `level` is ggml's: 3 warning, 4 error. */
export function severityOf(level: number, text: string): Severity {
  if (level >= 4) return CLIENT_ERROR.test(text) ? "debug" : "error";
  if (level < 3 || HARMLESS.some((pattern) => pattern.test(text))) return "debug";
  return "warn";
}
