/**
 * Maps Anthropic's stop reason to the finish reason of a chat completion. That has no field for the
 * stop sequence: it is written into the choice's `stop_reason`, as vLLM does.
 *
 * | Anthropic | chat completion |
 * |---|---|
 * | `max_tokens`, `model_context_window_exceeded` | `length` |
 * | `tool_use` | `tool_calls` |
 * | `refusal` | `content_filter` |
 * | any other | `stop` |
 */
export function finishReasonFromAnthropic(
  reason: string | null | undefined,
  sequence: string | null | undefined,
) {
  const finish_reason = FINISH_REASONS[reason ?? ""] ?? "stop";
  if (reason !== "stop_sequence" || sequence == null) return { finish_reason };
  return { finish_reason, stop_reason: sequence };
}

const FINISH_REASONS: Record<string, "length" | "tool_calls" | "content_filter"> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};
