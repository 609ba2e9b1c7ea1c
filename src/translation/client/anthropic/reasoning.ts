import type { MessagesRequest } from "../../../wire/anthropic.ts";

/** The largest thinking budget, in tokens, that counts as an effort; above all of them: `high`. */
const BUDGETS_MAX = [
  [2048, "low"],
  [8192, "medium"],
] as const;

/**
 * The `reasoning_effort` for what a request says about thinking. An effort is passed on, since both
 * APIs use the same words; a budget of tokens is rounded to one. Undefined leaves it to the model,
 * as `adaptive` without an effort does.
 */
export function reasoningEffortFromAnthropic(request: MessagesRequest): string | undefined {
  const { thinking, output_config } = request;
  if (thinking?.type === "disabled") return "none";
  if (output_config?.effort != null) return output_config.effort;
  const budget = thinking?.type === "enabled" ? thinking.budget_tokens : undefined;
  if (budget == null) return undefined;
  return BUDGETS_MAX.find(([tokens]) => budget <= tokens)?.[1] ?? "high";
}
