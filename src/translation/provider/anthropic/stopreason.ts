import type { MessagesUsage } from "../../../wire/anthropic.ts";
import type { ChatUsage } from "../../../wire/chat.ts";

/**
 * Why an answer ended, in the words of chat completions. Which stop sequence it was has no field
 * there; it is told as vLLM does, as the choice's `stop_reason`.
 *
 * | message | chat |
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
  const finish_reason = FINISHES[reason ?? ""] ?? "stop";
  if (reason !== "stop_sequence" || sequence == null) return { finish_reason };
  return { finish_reason, stop_reason: sequence };
}

const FINISHES: Record<string, "length" | "tool_calls" | "content_filter"> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

/** Token counts in the words of chat completions, where cached ones are part of the prompt. */
export function chatUsageFromAnthropic(usage: MessagesUsage) {
  const cached = usage.cache_read_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  const prompt_tokens = (usage.input_tokens ?? 0) + cached + written;
  const completion_tokens = usage.output_tokens ?? 0;
  const thinking = usage.output_tokens_details?.thinking_tokens;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: cached },
    ...(thinking == null ? {} : { completion_tokens_details: { reasoning_tokens: thinking } }),
  } satisfies ChatUsage;
}
