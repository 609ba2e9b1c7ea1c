/** How a line of llama.cpp is written to the log. */
export type Severity = "error" | "warn" | "debug";

/** Warnings that ask nothing of anybody: they come with every start, or with every cancellation. */
const HARMLESS = [
  /default pooling_type is/,
  /possible training context overflow/,
  /exceeds the training context of the model/,
  /cancel task, id_task/,
];

/** The severity of a line that llama.cpp logs with one of ggml's levels: 3 warning, 4 error. */
export function severityOf(level: number, text: string): Severity {
  if (level >= 4) return "error";
  if (level < 3 || HARMLESS.some((pattern) => pattern.test(text))) return "debug";
  return "warn";
}
