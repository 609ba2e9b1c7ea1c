import type { MessagesUsage } from "../../../wire/anthropic.ts";
import type { ChatUsage } from "../../../wire/chat.ts";

/** The token counts of a chat for Anthropic's: cached tokens are part of the prompt. */
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
