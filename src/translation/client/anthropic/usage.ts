import type { MessagesUsage } from "../../../wire/anthropic.ts";
import type { ChatUsage } from "../../../wire/chat.ts";

/** Anthropic's token counts for those of a chat: cached tokens are not part of the input. */
export function anthropicUsageFromChat(usage: ChatUsage | null | undefined) {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
  const thinking = usage?.completion_tokens_details?.reasoning_tokens;
  return {
    input_tokens: Math.max(0, (usage?.prompt_tokens ?? 0) - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage?.completion_tokens ?? 0,
    ...(thinking == null ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  } satisfies MessagesUsage;
}
